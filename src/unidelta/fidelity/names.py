"""Translates our parameter names to the authors' (their `pretrained_model.`, `prompt_model.` and `ef_…`)."""

import re
from collections.abc import Iterable

from unidelta.design.axes import Insertion, Slot
from unidelta.design.spec import Design, parts_of

_KINDS = {  # kind of attention: embedding, MLP and directly parameterised vectors in `prompt_model`
    "encoder_self": ("wte_enc", "control_trans_enc", "encoder_attn"),
    "decoder_self": ("wte", "control_trans", "decoder_self_attn"),
    "decoder_cross": ("wte2", "control_trans2", "decoder_cross_attn"),
}
_LEAVES = {
    "form.down": "down_proj",
    "form.up": "up_proj",
    "form.norm": "adapter_layer_norm_before",
    "compose.norm": "adapter_layer_norm_before",
    "compose.learned_scale": "scale",
}


def official_names(names: Iterable[str], design: Design, *, is_encoder: bool, is_wrapped: bool) -> dict[str, str]:
    """The authors' names of our parameters, by ours.

    Args:
        names: ours, from `model.named_parameters()`.
        design: of the model that has them.
        is_encoder: as for `official_name`.
        is_wrapped: as for `official_name`.
    """
    is_parallel = has_parallel_ffn(design)
    return {
        name: official_name(name, is_encoder=is_encoder, is_wrapped=is_wrapped, is_parallel_ffn=is_parallel)
        for name in names
    }


def has_parallel_ffn(design: Design) -> bool:
    """Whether a delta of the FFN is parallel, on which the place of RoBERTa's used FFN adapter depends."""
    return any(part.slot is Slot.FFN and part.insertion is Insertion.PARALLEL for part in parts_of(design))


def official_name(name: str, *, is_encoder: bool, is_wrapped: bool, is_parallel_ffn: bool) -> str:
    """The authors' name of one of our parameters.

    Args:
        name: our name, from `model.named_parameters()`.
        is_encoder: whether the model is encoder-only; its attention uses the generator of the authors'
            decoder self-attention.
        is_wrapped: whether the authors wrap the model (every method except full fine-tuning).
        is_parallel_ffn: RoBERTa's used FFN adapter sits on the layer if parallel, else on its output.
    """
    if found := re.match(r".*\.prefix_mlp_(\w+)\.(embedding|hidden|output)(?:\.(\w+))?$", name):
        kind, part, leaf = found.groups()
        embedding, mlp, _ = _kind(kind, is_encoder)
        place = {"embedding": f"{embedding}.weight", "hidden": f"{mlp}.0.{leaf}", "output": f"{mlp}.2.{leaf}"}[part]
        return f"prompt_model.{place}"
    if found := re.match(r"(.*)\.deltas\.heads\.form\.prefix\.(key|value)$", name):
        host, part = found.groups()
        layer = re.findall(r"\.(\d+)\.", host + ".")[0]
        return f"prompt_model.{_kind(_kind_of(host), is_encoder)[2]}_{part}.{layer}.weight"
    return ("pretrained_model." if is_wrapped else "") + _inner_name(name, is_encoder, is_parallel_ffn)


def _inner_name(name: str, is_encoder: bool, is_parallel_ffn: bool) -> str:
    if name.endswith(".deltas.prompt.vectors"):
        return name.replace(".deltas.prompt.vectors", ".ef_prefix_emb.weight")
    if ".deltas." not in name:
        return name
    host, rest = name.split(".deltas.")
    representation, rest = rest.split(".", 1)
    if representation == "linear":
        return f"{host}.ef_lora_{'A' if rest == 'form.down' else 'B'}"
    if representation == "heads":
        return f"{host}.ef_transform_layer_norm.{rest.rsplit('.', 1)[1]}"
    is_attention = host.endswith(("attn", ".attention.self", ".attention.output"))
    if is_encoder and not is_attention and is_parallel_ffn:
        host = host.removesuffix(".output")
    leaf = next(theirs + rest.removeprefix(ours) for ours, theirs in _LEAVES.items() if rest.startswith(ours))
    return f"{host}.ef_{'attn' if is_attention else 'ffn'}_adapter.{leaf}"


def _kind(kind: str, is_encoder: bool) -> tuple[str, str, str]:
    return _KINDS["decoder_self" if is_encoder else kind]


def _kind_of(host: str) -> str:
    if ".decoder." not in host:
        return "encoder_self"
    return "decoder_cross" if host.endswith("encoder_attn") else "decoder_self"
