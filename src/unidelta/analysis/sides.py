"""What a published row tunes, as a key, e.g. `pa_ffn@512`: which runs it stands for, and what to type for them.

A key is a method of `results/paper/`, the paper's bottleneck (attention's before the FFN's, `30;512`) and, where it is
not the usual one, the composition in brackets: `lora_ffn@102[s=1]`, `scaled_pa_ffn@512[trainable]`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import yaml

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family
from unidelta.design.budget import same_share
from unidelta.design.spec import Deltas, PromptTuning, design_from_dict
from unidelta.paths import CONF
from unidelta.records.strict_json import canonical

GLUE = ("mnli", "sst2")
_AFTER_NORM = ("residual", "layer")
_TRAINED, _PLAIN = "trainable", "s=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What tells one delta of a method from those of others; what is None may be anything."""

    slot: str
    form: str
    insertion: str
    composition: str
    init: str | None = None
    is_after_norm: bool = False

    def matches(self, part: Mapping[str, Any], task: str, variant: str) -> bool:
        """Whether a delta of a record is of this kind."""
        composition = {_TRAINED: "learned_scale"}.get(variant, self.composition)
        scale = (1.0 if variant == _PLAIN else 2.0 if task in GLUE else 4.0) if composition == "scaled" else 1.0
        return (
            (self.slot, self.form, self.insertion, composition)
            == (part["slot"], part["form"], part["insertion"], part["composition"])
            and self.init in (None, part["init"])
            and part["scale"] == scale
            and (part["representation"] in _AFTER_NORM) == self.is_after_norm
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the paper's tables.

    Args:
        name: as `results/paper/` names it.
        words: what to type for it; `{attn}`, `{ffn}` and `{prompt}` stand for the paper's bottlenecks.
        parts: its deltas; empty for the baselines.
        kind: of the design, as `design_to_dict` has it.
        variants: other compositions it comes in, each with what to type for it.
    """

    name: str
    words: str
    parts: tuple[Part, ...] = ()
    kind: str = "deltas"
    variants: Mapping[str, str] | None = None

    @property
    def slots(self) -> tuple[str, ...]:
        """Whose bottlenecks the key names."""
        return tuple(part.slot for part in self.parts) or (("prompt",) if self.kind == "prompt_tuning" else ())


_PREFIX = Part(slot="attn", form="prefix", insertion="parallel", composition="gated")
_SA_ATTN = Part(slot="attn", form="bottleneck", insertion="sequential", composition="additive", init="bert")
_SA_FFN = replace(_SA_ATTN, slot="ffn")
_PA_ATTN, _PA_FFN = replace(_SA_ATTN, insertion="parallel"), replace(_SA_FFN, insertion="parallel")
_SCALED_PA = replace(_PA_FFN, composition="scaled", init="lora")
_LORA_ATTN = Part(slot="attn", form="low_rank", insertion="parallel", composition="scaled", init="lora")
_LORA_FFN = replace(_LORA_ATTN, slot="ffn")
_ATTN, _FFN = "method.attn.bottleneck={attn}", "method.ffn.bottleneck={ffn}"

METHODS = {
    method.name: method
    for method in (
        Method(name="full_ft", words="method=full", kind="full_fine_tuning"),
        Method(name="bitfit", words="method=bitfit", kind="bitfit"),
        Method(name="prompt", words="method=prompt method.length={prompt}", kind="prompt_tuning"),
        Method(name="prefix", words=f"method=prefix {_ATTN}", parts=(_PREFIX,)),
        Method(
            name="prefix_nogate",
            words=f"method=prefix composition=additive {_ATTN}",
            parts=(replace(_PREFIX, composition="additive"),),
        ),
        Method(
            name="mh_pa_attn",
            words=f"method=multihead_parallel_adapter {_ATTN}",
            parts=(replace(_PREFIX, form="head_adapter", composition="additive"),),
        ),
        Method(name="sa_attn", words=f"method=adapter position=attn {_ATTN}", parts=(_SA_ATTN,)),
        Method(name="sa_ffn", words=f"method=adapter position=ffn {_FFN}", parts=(_SA_FFN,)),
        Method(name="pa_attn", words=f"method=parallel_adapter position=attn {_ATTN}", parts=(_PA_ATTN,)),
        Method(name="pa_ffn", words=f"method=parallel_adapter position=ffn {_FFN}", parts=(_PA_FFN,)),
        Method(
            name="scaled_pa_ffn",
            words=f"method=scaled_parallel_adapter {_FFN}",
            parts=(_SCALED_PA,),
            variants={_TRAINED: "composition=learned_scale"},
        ),
        Method(name="lora_attn", words=f"method=lora position=attn {_ATTN}", parts=(_LORA_ATTN,)),
        Method(
            name="lora_ffn",
            words=f"method=lora position=ffn {_FFN}",
            parts=(_LORA_FFN,),
            variants={_PLAIN: "composition.scale=1"},
        ),
        Method(name="pfeiffer", words=f"method=adapter_pfeiffer {_FFN}", parts=(replace(_SA_FFN, is_after_norm=True),)),
        Method(name="adapter_houlsby", words=f"method=adapter_houlsby {_ATTN} {_FFN}", parts=(_SA_ATTN, _SA_FFN)),
        Method(name="pa_attn+pa_ffn", words=f"method=parallel_adapter_both {_ATTN} {_FFN}", parts=(_PA_ATTN, _PA_FFN)),
        Method(name="prefix+lora_ffn", words=f"method=prefix_lora {_ATTN} {_FFN}", parts=(_PREFIX, _LORA_FFN)),
        Method(name="mam", words=f"method=mam {_ATTN} {_FFN}", parts=(_PREFIX, _SCALED_PA)),
    )
}

_KEY = re.compile(r"([a-z_+]+)(?:@([0-9]+(?:;[0-9]+)*))?(?:\[(.+)\])?")


def key_of_row(row: Mapping[str, str]) -> str:
    """The key of a row of `results/paper/results.csv`; for numbers that the paper copied, `full_ft_published`."""
    method, size, composition = row["method"], row["bottleneck"], row["composition"]
    if method == "mam" and not size:
        size = "30;512"  # Figure 2 names none
    if size.startswith("XSum"):  # "XSum 300*; MT 200*"
        size = size.split("; ")[0 if row["task"] == "xsum" else 1]
    found = re.findall(r"[0-9]+", size)
    if method in METHODS and len(found) < len(METHODS[method].slots):
        found *= 2  # Houlsby's adapters: one number for both
    numbers = ";".join(found)
    variants = METHODS[method].variants or {} if method in METHODS else {}
    variant = next((variant for variant in variants if variant in composition), "")
    return f"{method}{'@' * bool(numbers)}{numbers}{f'[{variant}]' if variant else ''}"


def words_of_key(key: str) -> str:
    """What to type after `python train.py` for the design of a key.

    Raises:
        KeyError: the key is of no method here.
    """
    method, sizes, variant = _split(key)
    words = method.words.format(**dict(zip(method.slots, sizes, strict=True)))
    return f"{words} {(method.variants or {})[variant]}" if variant else words


def side_of_spec(spec: Mapping[str, Any]) -> tuple[str, str]:
    """The method that a record's spec is of, e.g. `pa_ffn`, and its key.

    The method is "" if it is none of the paper's; the key is "" for a design that stands in no table of the paper, or
    at another size. Bottlenecks are right where they are the paper's or, on a smaller backbone, have the same share.
    """
    if not {"design", "backbone", "published_bottlenecks"} <= spec.keys() or "kind" not in spec["design"]:
        return "", ""
    parts = (spec["design"], spec["published_bottlenecks"], spec["backbone"]["architecture"])
    return _side(*(canonical(part) for part in parts), spec["task"]["name"])


@cache
def _side(design: str, published: str, architecture: str, task: str) -> tuple[str, str]:
    content, sizes = json.loads(design), json.loads(published)
    for method in METHODS.values():
        for variant in ("", *(method.variants or {})):
            if not _is_of(content, method, variant, task) or set(sizes) != set(method.slots):
                continue
            name, suffix = method.name, f"[{variant}]" if variant else ""
            if not _has_sizes(content, sizes, json.loads(architecture)):
                return f"{name}{suffix}", ""
            numbers = ";".join(str(sizes[slot]) for slot in method.slots)
            return f"{name}{suffix}", f"{name}{'@' * bool(numbers)}{numbers}{suffix}"
    return "", ""


def _is_of(design: Mapping[str, Any], method: Method, variant: str, task: str) -> bool:
    parts = design.get("parts", [])
    return (
        design["kind"] == method.kind
        and len(parts) == len(method.parts)
        and all(mine.matches(part, task, variant) for mine, part in zip(method.parts, parts, strict=True))
    )


def _has_sizes(content: Mapping[str, Any], sizes: Mapping[str, int], architecture: Mapping[str, Any]) -> bool:
    """Whether a design has, on its backbone, the share that the paper's bottlenecks have on the paper's."""
    design = design_from_dict(dict(content))
    here = Architecture(**{**architecture, "family": Family(architecture["family"])})
    there = published_architecture(here.family, here.n_labels)
    if isinstance(design, PromptTuning):
        return design == same_share(replace(design, length=sizes["prompt"]), there, here)
    if isinstance(design, Deltas):
        parts = tuple(replace(part, bottleneck=sizes[part.slot]) for part in design.parts)
        return design == same_share(replace(design, parts=parts), there, here)
    return True


@cache
def published_architecture(family: Family, n_labels: int) -> Architecture:
    """The paper's backbone of a family, from conf/backbone/."""
    content = yaml.safe_load((CONF / "backbone" / f"{family}.yaml").read_text(encoding="utf-8"))
    names = {item.name for item in fields(Architecture)} - {"family", "n_labels"}
    sizes = {"decoder_layers": 0, **{name: content[name] for name in names if name in content}}  # encoders name none
    return Architecture(family=family, n_labels=n_labels, **sizes)


def _split(key: str) -> tuple[Method, tuple[int, ...], str]:
    found = _KEY.fullmatch(key)
    if found is None:
        raise KeyError(key)
    name, sizes, variant = found.groups()
    return METHODS[name], tuple(int(size) for size in sizes.split(";")) if sizes else (), variant or ""
