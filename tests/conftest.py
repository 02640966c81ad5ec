"""What every test shares: one thread, quiet libraries, and the four paper backbones as plain sizes."""

import pytest
import torch
from transformers.utils import logging

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family


@pytest.fixture(scope="session", autouse=True)
def one_quiet_thread():
    """Tests measure numbers, not speed: one thread gives one order of summation."""
    torch.set_num_threads(1)
    logging.set_verbosity_error()


@pytest.fixture(scope="session")
def bart_large() -> Architecture:
    """facebook/bart-large, from its model card."""
    return Architecture(
        family=Family.BART,
        name="bart-large",
        vocab_size=50265,
        encoder_layers=12,
        decoder_layers=12,
        d_model=1024,
        d_ffn=4096,
        n_heads=16,
        max_positions=1024,
    )


@pytest.fixture(scope="session")
def mbart_large() -> Architecture:
    """facebook/mbart-large-cc25; the paper divides by BART-large's 406,291,456 parameters."""
    return Architecture(
        family=Family.MBART,
        name="mbart-large-cc25",
        vocab_size=250027,
        encoder_layers=12,
        decoder_layers=12,
        d_model=1024,
        d_ffn=4096,
        n_heads=16,
        max_positions=1024,
        published_denominator=406_291_456,
    )


@pytest.fixture(scope="session")
def roberta_base() -> Architecture:
    """FacebookAI/roberta-base with MNLI's three labels."""
    return Architecture(
        family=Family.ROBERTA,
        name="roberta-base",
        vocab_size=50265,
        encoder_layers=12,
        decoder_layers=0,
        d_model=768,
        d_ffn=3072,
        n_heads=12,
        max_positions=514,
        type_vocab_size=1,
        n_labels=3,
    )


@pytest.fixture(scope="session")
def bert_base() -> Architecture:
    """google-bert/bert-base-uncased with two labels."""
    return Architecture(
        family=Family.BERT,
        name="bert-base-uncased",
        vocab_size=30522,
        encoder_layers=12,
        decoder_layers=0,
        d_model=768,
        d_ffn=3072,
        n_heads=12,
        max_positions=512,
        type_vocab_size=2,
        n_labels=2,
    )
