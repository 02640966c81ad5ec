"""What every test shares: one thread, quiet libraries, and the four paper backbones as plain sizes.

Imports of torch are in the fixtures: the process that hands tests out reads this file too, before any worker begins.
"""

import gc
import signal

import pytest

from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config


def pytest_configure() -> None:
    """Under nohup a hangup is ignored, and so it would be in every program that a test starts and stops."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported by now stays: the garbage collector need not look through it, now or again and again."""
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return collected


@pytest.fixture(scope="session", autouse=True)
def one_quiet_thread():
    """Tests measure numbers, not speed: one thread gives one order of summation."""
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    logging.set_verbosity_error()


def encoder_decoder(family: str, *, vocab_size: int) -> dict[str, int | str]:
    """config.json of a large BART or mBART."""
    sides = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in SIDES.items()}
    return {"model_type": family, "vocab_size": vocab_size, "d_model": 1024, "max_position_embeddings": 1024, **sides}


SIDES = {"layers": 12, "ffn_dim": 4096, "attention_heads": 16}
BASE = {"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}


@pytest.fixture(scope="session")
def bart_large() -> Architecture:
    """facebook/bart-large, from its model card."""
    return architecture_from_config(encoder_decoder("bart", vocab_size=50265), name="bart-large", n_labels=0)


@pytest.fixture(scope="session")
def mbart_large() -> Architecture:
    """facebook/mbart-large-cc25; the paper divides by BART-large's 406,291,456 parameters."""
    return architecture_from_config(
        encoder_decoder("mbart", vocab_size=250027),
        name="mbart-large-cc25",
        n_labels=0,
        published_denominator=406_291_456,
    )


@pytest.fixture(scope="session")
def roberta_base() -> Architecture:
    """FacebookAI/roberta-base with MNLI's three labels."""
    sizes = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
    return architecture_from_config({"model_type": "roberta", **BASE, **sizes}, name="roberta-base", n_labels=3)


@pytest.fixture(scope="session")
def bert_base() -> Architecture:
    """google-bert/bert-base-uncased with two labels."""
    sizes = {"vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}
    return architecture_from_config({"model_type": "bert", **BASE, **sizes}, name="bert-base-uncased", n_labels=2)
