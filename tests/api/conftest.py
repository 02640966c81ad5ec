"""Stock models of three kinds, tiny and random, and batches for them."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES

from ..copied import copied

KINDS = ("bart", "roberta", "llama")


def _stock(family: str, *, attention: str = "sdpa", seed: int = 1) -> PreTrainedModel:
    return copied(_built(family, attention, seed))


@cache
def _built(family: str, attention: str, seed: int) -> PreTrainedModel:
    known = FAMILIES[family]
    config = AutoConfig.for_model(family, **known.tiny)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MODEL_CLASSES[known.kind].from_config(config, attn_implementation=attention)
        for parameter in model.parameters():
            parameter.data += 0.15 * torch.randn_like(parameter)
    return model.eval()


def _batch(family: str, *, side: str = "right") -> dict[str, Tensor]:
    """Four texts of 7 tokens, the second with 3 of padding, with labels."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 41, (4, 7), generator=generator)
    mask = torch.ones_like(ids)
    where = slice(4, 7) if side == "right" else slice(0, 3)
    ids[1, where], mask[1, where] = 1, 0
    labels = {
        "encoder-decoder": torch.randint(3, 41, (4, 5), generator=generator),
        "encoder": torch.tensor([0, 1, 1, 0]),
        "decoder": ids.masked_fill(mask == 0, -100),
    }
    return {"input_ids": ids, "attention_mask": mask, "labels": labels[FAMILIES[family].kind]}


@pytest.fixture(scope="session")
def stock() -> Callable[..., PreTrainedModel]:
    return _stock


@pytest.fixture(scope="session")
def batch() -> Callable[..., dict[str, Tensor]]:
    return _batch
