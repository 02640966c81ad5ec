"""Pretrained backbones from a local folder or the hub: safetensors only, complete, of the right architecture."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.backbones.dropouts import set_dropouts
from unidelta.backbones.loading import Loading
from unidelta.design.config_facts import known_family
from unidelta.errors import BackboneError, DamagedWeights


def load_pretrained(
    source: str, how: Loading, *, asked: str, revision: str | None = None, unreachable: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained model in float32 and its tokenizer.

    A classification head that the checkpoint lacks is drawn from the seed; nothing else may be missing.

    Args:
        source: local folder or hub id.
        how: seed and labels of a new classification head, dropouts, attention.
        asked: the checkpoint as the user typed it.
        revision: of a hub id.
        unreachable: why the network is not used; None if it is not needed or available.

    Raises:
        BackboneError: weights or tokenizer are missing, damaged or do not fit the configuration.
    """
    with _of_checkpoint(asked, unreachable):
        config = AutoConfig.from_pretrained(source, revision=revision)
    if how.n_labels:
        config.num_labels = how.n_labels
    family = known_family(config.model_type)
    set_dropouts(config, family, how)
    loader = MODEL_CLASSES[family.kind]
    with _of_checkpoint(asked, unreachable), torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(how.seed)
        model, report = loader.from_pretrained(
            source,
            config=config,
            revision=revision,
            dtype=torch.float32,
            attn_implementation=how.attn_implementation,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported, and refused below with everything else that does not fit
        )
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision)
    head = family.head_of(model)
    new = {f"{family.head}.{name}" for name, _ in head.named_parameters()} if head is not None else set()
    missing = sorted(set(report["missing_keys"]) - new)
    mismatched = sorted({str(key[0]) for key in report["mismatched_keys"]} - new)  # a head for other labels is new
    if missing or mismatched:
        words = [
            f"{len(keys)} tensors {what}, first {', '.join(keys[:5])}"
            for what, keys in (("are missing", missing), ("have another shape", mismatched))
            if keys
        ]
        raise BackboneError(asked, "; ".join(words), "a checkpoint whose weights fit its config.json")
    broken = [name for name, tensor in model.state_dict().items() if not torch.isfinite(tensor).all()]
    if broken:
        raise DamagedWeights(asked, f"values that are not finite, first in {broken[0]}", "an undamaged checkpoint")
    return model, tokenizer


@contextmanager
def _of_checkpoint(asked: str, unreachable: str | None) -> Iterator[None]:
    """Raise every failure of the loaders, which raise a dozen types, as an error about the checkpoint."""
    try:
        yield
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if unreachable:
            why = f"{unreachable}, and the checkpoint is not in the cache of this machine"
            raise BackboneError(asked, why, "backbone.checkpoint=DIR with a local folder, or scale=mini") from error
        raise BackboneError(
            asked, first, "an undamaged checkpoint with config.json, model.safetensors and a tokenizer"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
