"""The facts of a backbone from its config.json, the file that every Hugging Face checkpoint has."""

from collections.abc import Mapping
from typing import Any

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family
from unidelta.errors import CheckpointError


def architecture_from_config(
    config: Mapping[str, Any], *, name: str, n_labels: int, published_denominator: int | None = None
) -> Architecture:
    """The sizes that a configuration states.

    Args:
        config: the content of config.json.
        name: how the backbone is called in records.
        n_labels: outputs of the classification head, 0 for BART and mBART.
        published_denominator: the parameter count by which the paper divides for this backbone.

    Raises:
        CheckpointError: if the architecture is none that deltas can be put into, or a size is missing.
    """
    kind = config.get("model_type")
    if kind not in list(Family):
        raise CheckpointError(
            f"a backbone of architecture `{kind}`",
            f"deltas can be put into {', '.join(Family)} only",
            "backbone.checkpoint=DIR with one of these architectures",
        )
    family = Family(kind)
    names = _SEQ2SEQ if family.is_encoder_decoder else _ENCODER
    missing = sorted(key for key in names.values() if not isinstance(config.get(key), int))
    if missing:
        raise CheckpointError(
            f"the configuration of {name}", f"it does not say {', '.join(missing)}", "a complete config.json"
        )
    _check_symmetry(config, name, family)
    sizes = {ours: config[theirs] for ours, theirs in names.items()}
    return Architecture(
        family=family,
        name=name,
        n_labels=0 if family.is_encoder_decoder else n_labels,
        published_denominator=published_denominator,
        **{"decoder_layers": 0, **sizes},
    )


def _check_symmetry(config: Mapping[str, Any], name: str, family: Family) -> None:
    """Refuse what one set of sizes cannot say: stacks of different widths, or untied embeddings."""
    odd: list[str] = []
    if family.is_encoder_decoder:
        pairs = (("encoder_ffn_dim", "decoder_ffn_dim"), ("encoder_attention_heads", "decoder_attention_heads"))
        odd = [f"{theirs} differs from {ours}" for ours, theirs in pairs if config.get(theirs) != config[ours]]
        if config.get("tie_word_embeddings") is False:
            odd.append("its embeddings are not tied")
    if odd:
        raise CheckpointError(
            f"the configuration of {name}",
            f"{'; '.join(odd)}, and parameters are counted for models whose stacks are alike",
            "a checkpoint of the usual shape, such as facebook/bart-large",
        )


_SEQ2SEQ = {
    "vocab_size": "vocab_size",
    "encoder_layers": "encoder_layers",
    "decoder_layers": "decoder_layers",
    "d_model": "d_model",
    "d_ffn": "encoder_ffn_dim",
    "n_heads": "encoder_attention_heads",
    "max_positions": "max_position_embeddings",
}
_ENCODER = {
    "vocab_size": "vocab_size",
    "encoder_layers": "num_hidden_layers",
    "d_model": "hidden_size",
    "d_ffn": "intermediate_size",
    "n_heads": "num_attention_heads",
    "max_positions": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
}
