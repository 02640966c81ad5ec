"""A tiny random model of an architecture, and a batch for it."""

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import Family
from unidelta.tasks.collate import IGNORED_LABEL


def tiny(family: Family) -> PreTrainedModel:
    """A random model of an architecture in float64 and eval mode, with weights large enough for effects to show."""
    config = AutoConfig.for_model(family.name, **family.tiny)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model: PreTrainedModel = MODEL_CLASSES[family.kind].from_config(config)
        for parameter in model.parameters():
            parameter.data += 0.15 * torch.randn_like(parameter)
    return model.double().eval()


def batch(family: Family) -> dict[str, Tensor]:
    """Three sources of 7 tokens, one of them padded, with labels."""
    generator = torch.Generator().manual_seed(5)
    n_ids = family.tiny["vocab_size"]
    ids = torch.randint(3, n_ids, (3, 7), generator=generator)
    mask = torch.ones_like(ids)
    side = slice(0, 3) if family.kind == "decoder" else slice(4, 7)  # decoders generate, so they pad on the left
    ids[1, side], mask[1, side] = 1, 0
    labels = {
        "encoder-decoder": torch.randint(3, n_ids, (3, 5), generator=generator),
        "encoder": torch.tensor([0, 1, 0]),
        "decoder": ids.masked_fill(mask == 0, IGNORED_LABEL),
    }
    return {"input_ids": ids, "attention_mask": mask, "labels": labels[family.kind]}
