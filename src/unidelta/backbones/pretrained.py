"""Pretrained backbones from a local folder or the hub: safetensors only, complete, of the right architecture."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.config_facts import known_family
from unidelta.design.family import Family
from unidelta.errors import BackboneError, ConfigError, DamagedWeights
from unidelta.extensions.named_paths import is_local
from unidelta.network.hub import cache_only, why_unreachable


def load_config(checkpoint: str, *, n_labels: int, revision: str | None = None) -> PretrainedConfig:
    """The configuration of a checkpoint.

    Args:
        checkpoint: local folder or hub id.
        n_labels: outputs of the classification head, 0 for sequence-to-sequence models.
        revision: of a hub id.

    Raises:
        BackboneError: if it cannot be had.
    """
    with _from_anywhere(checkpoint, f"backbone.checkpoint={checkpoint}"):
        config = AutoConfig.from_pretrained(checkpoint, revision=revision)
    if n_labels:
        config.num_labels = n_labels
    return config


def load_backbone(
    checkpoint: str,
    config: PretrainedConfig,
    *,
    attn_implementation: str,
    dropout: float | None,
    attention_dropout: float | None,
    seed: int,
    revision: str | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained model in float32 and its tokenizer.

    A classification head that the checkpoint lacks is drawn from the seed; nothing else may be missing.

    Args:
        checkpoint: local folder or hub id.
        config: from `load_config`.
        attn_implementation: sdpa or eager.
        dropout: hidden dropout in place of the checkpoint's, or None.
        attention_dropout: attention dropout in place of the checkpoint's, or None.
        seed: of a new classification head.
        revision: of a hub id.

    Raises:
        BackboneError: if weights or tokenizer are missing, damaged or do not fit the configuration.
    """
    family = known_family(config.model_type)
    set_dropouts(config, family, dropout=dropout, attention_dropout=attention_dropout)
    loader = MODEL_CLASSES[family.kind]
    asked = f"backbone.checkpoint={checkpoint}"
    with _from_anywhere(checkpoint, asked), torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        model, report = loader.from_pretrained(
            checkpoint,
            config=config,
            revision=revision,
            dtype=torch.float32,
            attn_implementation=attn_implementation,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported, and refused below with all else that does not fit
        )
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=revision)
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


def set_dropouts(
    config: PretrainedConfig, family: Family, *, dropout: float | None, attention_dropout: float | None
) -> None:
    """Put hidden and attention dropout in place of the checkpoint's, where they are given.

    Raises:
        ConfigError: the architecture has no such dropout.
    """
    for key, name, value in zip(
        ("dropout", "attention_dropout"), family.dropouts, (dropout, attention_dropout), strict=True
    ):
        if value is not None and name is None:
            asked, why = f"backbone.{key}={value:g}", f"a {family.name} has no such dropout"
            raise ConfigError(asked, why, f"leave backbone.{key} out")
        if value is not None and name is not None:
            setattr(config, name, value)


@contextmanager
def _from_anywhere(checkpoint: str, asked: str) -> Iterator[None]:
    """Tell every failure of the loaders, which raise some dozen types, as one of the checkpoint."""
    local = is_local(checkpoint)
    unreachable = None if local else why_unreachable()
    try:
        if local or unreachable:
            with cache_only():
                yield
        else:
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
