"""Layers without a place for a delta, as config.json says: no attention keys, a mixture of experts in place of one FFN.

The keys that say so are shared by transformers' models.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from unidelta.design.wording import in_words

_ATTENTIONS = ("full_attention", "sliding_attention", "attention")
_WORDS = {"linear_attention": "linear attention", "recurrent": "a recurrent state", "mamba": "a recurrent state"}
_STATES = ("state_size", "ssm_state_size", "mamba_d_state", "mamba_d_conv", "attention_hidden_size")
_MOST_RUNS = 6
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")


def without_a_place(config: Mapping[str, Any]) -> list[str]:
    """What an architecture has where deltas would go, each with its layers; empty if nothing is in the way."""
    config = config["text_config"] if isinstance(config.get("text_config"), Mapping) else config
    n = next((config[key] for key in ("num_hidden_layers", "n_layer", "num_layers") if config.get(key)), 0)
    return [*_not_attention(config, n), *_experts(config, n), *_disentangled(config, n)]


def _not_attention(config: Mapping[str, Any], n: int) -> Iterator[str]:
    kinds: dict[str, list[int]] = {}
    for i, kind in enumerate(_kinds(config, n)):
        if (kind not in _ATTENTIONS and not kind.endswith("_attention")) or kind == "linear_attention":
            kinds.setdefault(kind, []).append(i)
    for kind, layers in kinds.items():
        name = _WORDS.get(kind, f"of the kind {kind}")
        yield f"{_layers(layers)} {'are' if len(layers) > 1 else 'is'} {name}, without keys that a prefix could join"


def _kinds(config: Mapping[str, Any], n: int) -> Sequence[str]:
    """What every layer has for attention, as far as the configuration says."""
    for key in ("layer_types", "layers_block_type"):
        if isinstance(config.get(key), list):
            return config[key]
    if isinstance(config.get("block_types"), list):  # a pattern that is repeated
        return [config["block_types"][i % len(config["block_types"])] for i in range(n)]
    for key in ("attn_layer_indices", "full_attn_idxs"):
        if isinstance(config.get(key), list):
            return ["attention" if i in config[key] else "recurrent" for i in range(n)]
    if "attn_layer_period" in config:
        period, offset = config["attn_layer_period"], config.get("attn_layer_offset", 0)
        return ["attention" if i % period == offset else "recurrent" for i in range(n)]
    return ["recurrent" if any(key in config for key in _STATES) else "attention"] * n


def _experts(config: Mapping[str, Any], n: int) -> Iterator[str]:
    n_experts = next((config[key] for key in _EXPERTS if isinstance(config.get(key), int)), 0)
    is_sparse = _is_sparse(config)
    layers = [i for i in range(n) if is_sparse(i)]
    if n_experts < 2 or not layers:
        return
    whose = "the FFNs of" if len(layers) > 1 else "the FFN of"
    verb = f"are mixtures of {n_experts}" if len(layers) > 1 else f"is a mixture of {n_experts}"
    yield f"{whose} {_layers(layers)} {verb} experts, so no one map is passed by every token"


def _is_sparse(config: Mapping[str, Any]) -> Callable[[int], bool]:
    """Which layers have experts, as far as the configuration says; all if it says nothing."""
    if isinstance(config.get("mlp_layer_types"), list):
        return lambda i: config["mlp_layer_types"][i] == "sparse"
    if "expert_layer_period" in config:
        return lambda i: i % config["expert_layer_period"] == config.get("expert_layer_offset", 0)
    dense, step, first = config.get("mlp_only_layers") or (), config.get("decoder_sparse_step", 1), 0
    if isinstance(config.get("first_k_dense_replace"), int):
        first = config["first_k_dense_replace"]
    return lambda i: i >= first and i not in dense and (i + 1) % step == 0


def _disentangled(config: Mapping[str, Any], n: int) -> Iterator[str]:
    if config.get("relative_attention") and config.get("pos_att_type"):
        yield (
            f"the attention of {_layers(list(range(n)))} is disentangled: its logits have terms of the relative"
            " position of every key, and a prefix has none"
        )


def _layers(numbers: Sequence[int]) -> str:
    """`layer 3`, `layers 0 to 5`, `layers 0, 2 to 4 and 7`; of many runs the first few."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    if len(words) > _MOST_RUNS:
        rest = len(numbers) - sum(map(len, runs[: _MOST_RUNS - 1]))
        words = [*words[: _MOST_RUNS - 1], f"{rest} more"]
    return f"layer{'s' if len(numbers) > 1 else ''} {in_words(words)}"
