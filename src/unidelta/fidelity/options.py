"""The authors' command-line options, translated into what one types here.

The options are those of petl/options.py at jxhe/unify-parameter-efficient-tuning@3222ce2c.
"""

from collections.abc import Mapping
from typing import Any

from unidelta.errors import ConfigError

TASKS = {"bart": "xsum", "mbart": "wmt_en_ro", "roberta": "mnli"}

# (attention, FFN) to the preset whose slots fit; the slots' details are set one by one below
_METHODS = {
    ("prefix", None): "prefix",
    ("head_adapter", None): "multihead_parallel_adapter",
    ("sequential", None): "adapter",
    ("parallel", None): "parallel_adapter",
    ("lora", None): "lora",
    (None, "sequential"): "adapter",
    (None, "parallel"): "parallel_adapter",
    (None, "pfeiffer"): "adapter_pfeiffer",
    (None, "lora"): "lora",
    ("sequential", "sequential"): "adapter_houlsby",
    ("parallel", "parallel"): "parallel_adapter_both",
    ("lora", "lora"): "lora",
    ("prefix", "parallel"): "mam",
    ("prefix", "lora"): "prefix_lora",
}


def overrides(task: str, options: Mapping[str, Any]) -> list[str]:
    """The overrides that ask for the design of a set of the authors' options.

    Args:
        task: a task of the model, e.g. `TASKS["bart"]`.
        options: the authors' options by name.

    Raises:
        ConfigError: for a combination that no preset covers.
    """
    # the paper's scale: what is tuned for the miniature, e.g. a prefix that starts from activations, is not theirs
    common = ["scale=paper", f"task={task}", "conventions=released"]
    attn, ffn = options["attn_mode"], options["ffn_mode"]
    if attn == ffn == "none":
        return [*common, "method=full"]
    if attn == "bitfit":
        return [*common, "method=bitfit"]
    if attn == "prompt_tuning":
        return [*common, "method=prompt", "budget=bottleneck", f"budget.bottleneck={options['attn_bn']}"]
    forms = (_attention_form(options), _ffn_form(options))
    if forms not in _METHODS:
        raise ConfigError(
            f"the authors' options attn_mode={attn}, ffn_mode={ffn}",
            "no method of this suite puts these two together",
            "one of the combinations in src/unidelta/fidelity/options.py",
        )
    position = {(True, False): "attn", (False, True): "ffn", (True, True): "both"}[
        (forms[0] is not None, forms[1] is not None)
    ]
    typed = [f"method={_METHODS[forms]}", f"position={position}", "budget=bottleneck"]
    if forms[0] is not None:
        typed += [f"budget.attn={options['attn_bn']}", *_attention(forms[0], options)]
    if forms[1] is not None:
        typed += [f"budget.ffn={options['ffn_bn']}", *_ffn(forms[1], options)]
    return [*common, *typed]


def _attention_form(options: Mapping[str, Any]) -> str | None:
    mode, option = options["attn_mode"], options["attn_option"]
    if mode.startswith("prefix"):
        return "head_adapter" if option == "cross_attn_relu" else "prefix"
    return {"none": None, "adapter": option, "lora": "lora"}[mode]


def _ffn_form(options: Mapping[str, Any]) -> str | None:
    return {"none": None, "adapter": options["ffn_option"], "lora": "lora"}[options["ffn_mode"]]


def _attention(form: str, options: Mapping[str, Any]) -> list[str]:
    if form == "lora":
        return _lora("attn", options["attn_bn"], options)
    if form in ("sequential", "parallel"):
        return [f"method.attn.insertion={form}", "method.attn.composition=additive"]
    gated = form == "prefix" and (options["attn_option"] == "concat" or options["attn_composition"] == "gate_add")
    typed = [f"method.attn.composition={'gated' if gated else 'additive'}"]
    if options["attn_mode"] == "prefix_nomlp":
        typed += ["method.attn.reparameterisation=direct"]
    else:
        typed += [f"method.attn.mlp_width={options['mid_dim']}"]
        typed += [f"method.attn.prefix_dropout={options['prefix_dropout']}"]
    # `cross_attn` is `cross_attn_noln` with a layer norm on the query's input
    return [*typed, "method.attn.layer_norm=in"] if options["attn_option"] == "cross_attn" else typed


def _ffn(form: str, options: Mapping[str, Any]) -> list[str]:
    if form == "lora":
        return _lora("ffn", options["ffn_bn"], options)
    typed = [
        f"method.ffn.insertion={'parallel' if form == 'parallel' else 'sequential'}",
        f"method.ffn.layer_norm={options['ffn_adapter_layernorm_option']}",
        f"method.ffn.init={options['ffn_adapter_init_option']}",
    ]
    scalar = options["ffn_adapter_scalar"]
    if scalar == "learnable_scalar":
        return [*typed, "method.ffn.composition=learned_scale"]
    if float(scalar) == 1:
        return [*typed, "method.ffn.composition=additive"]
    return [*typed, "method.ffn.composition=scaled", f"method.ffn.scale={float(scalar)!r}"]


def _lora(slot: str, rank: int, options: Mapping[str, Any]) -> list[str]:
    return [
        f"method.{slot}.composition=scaled",
        f"method.{slot}.scale={options['lora_alpha'] / rank!r}",  # one alpha for both slots, s = alpha / r
        f"method.{slot}.init={options['lora_init']}",
        f"method.{slot}.dropout={options['lora_dropout']}",
    ]
