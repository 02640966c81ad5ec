"""The rows of the paper's tables: names, what to type for each, its style in figures, and which runs belong to it.

This is the only list of them. A row's *key*, e.g. `pa_ffn@512`, is its name, the paper's bottleneck (attention's before
the FFN's, `30;512`) and, if it is not the usual one, the composition in brackets: `lora_ffn@102[s=1]`,
`scaled_pa_ffn@512[trainable]`. A row's design follows from what is typed for it and the method's file.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from unidelta.analysis.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILLION, Style
from unidelta.design.axes import Slot
from unidelta.design.budget import same_share
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.design_json import design_from_dict
from unidelta.design.form import FORMS
from unidelta.design.methods import Axes, request_of
from unidelta.design.published import published_for
from unidelta.design.request import Request
from unidelta.design.spec import Deltas, PromptTuning
from unidelta.records.strict_json import canonical

GLUE = ("mnli", "sst2")
_AFTER_NORM = ("residual", "layer")
_TRAINED, _PLAIN = "trainable", "s=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """A row of the paper's tables.

    Args:
        name: its name in `results/paper/`.
        label: its name in tables and figures.
        words: what to type for it.
        style: in every figure.
        variants: other compositions, each with what to type in addition to `words`.
    """

    name: str
    label: str
    words: str
    style: Style
    variants: Mapping[str, str] = field(default_factory=dict[str, str])

    def request(self, variant: str = "") -> Request:
        """The request for what is typed."""
        typed = dict(word.split("=") for word in f"{self.words} {self.variants.get(variant, '')}".split())
        method, scale = typed.pop("method"), typed.pop("composition.scale", None)
        axes: dict[str, Any] = typed if scale is None else {**typed, "scale": float(scale)}
        return request_of(method, Axes(**axes))

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots whose bottlenecks are in the key."""
        request = self.request()
        if request.method.length is not None:
            return ("prompt",)
        return tuple(slot for slot in Slot if slot in request.position.slots)


_VARIANTS = {
    "scaled_pa_ffn": {_TRAINED: "composition=learned_scale"},
    "lora_ffn": {_PLAIN: "composition.scale=1"},
}
_SIZES = {"mam": 9}  # of markers in points: a star looks smaller than it is
ROWS = {
    name: PaperRow(
        name=name,
        label=label,
        words=words,
        style=Style(colour=colour, marker=marker, size=_SIZES.get(name, 5.5)),
        variants=_VARIANTS.get(name, {}),
    )
    for name, label, words, colour, marker in (
        ("frozen", "frozen", "method=frozen", GREY, "_"),
        ("prompt", "prompt", "method=prompt", GREY, "8"),
        ("bitfit", "BitFit", "method=bitfit", GREY, "X"),
        ("prefix", "prefix (attn)", "method=prefix", BLUE, "o"),
        ("prefix_nogate", "prefix (attn), no gate", "method=prefix composition=additive", BLUE, "p"),
        ("mh_pa_attn", "multi-head PA (attn)", "method=multihead_parallel_adapter", GREEN, "p"),
        ("sa_attn", "SA (attn)", "method=adapter position=attn", SKY, "s"),
        ("sa_ffn", "SA (ffn)", "method=adapter position=ffn", ORANGE, "s"),
        ("pa_attn", "PA (attn)", "method=parallel_adapter position=attn", SKY, "^"),
        ("pa_ffn", "PA (ffn)", "method=parallel_adapter position=ffn", VERMILLION, "D"),
        ("scaled_pa_ffn", "scaled PA (ffn)", "method=scaled_parallel_adapter", VERMILLION, "d"),
        ("lora_attn", "LoRA (attn)", "method=lora position=attn", GREEN, "v"),
        ("lora_ffn", "LoRA (ffn)", "method=lora position=ffn", PURPLE, "P"),
        ("pfeiffer", "Pfeiffer (ffn)", "method=adapter_pfeiffer", ORANGE, "<"),
        ("adapter_houlsby", "Houlsby (attn, ffn)", "method=adapter_houlsby", ORANGE, ">"),
        ("pa_attn+pa_ffn", "PA (attn, ffn)", "method=parallel_adapter_both", VERMILLION, "H"),
        ("prefix+lora_ffn", "prefix (attn) + LoRA (ffn)", "method=prefix_lora", PURPLE, "h"),
        ("mam", "MAM", "method=mam", VERMILLION, "*"),
        ("full_ft", "full", "method=full", INK, "|"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What distinguishes a row's delta from those of other rows; an `init` of None matches any."""

    slot: str
    form: str
    insertion: str
    composition: str
    scale: float
    init: str | None
    is_after_norm: bool

    def matches(self, part: Mapping[str, Any], task: str) -> bool:
        """Whether a delta of a record matches; on GLUE the paper's s = 4 is 2."""
        scale = 2.0 if self.scale == 4 and task in GLUE else self.scale
        return (
            (self.slot, self.form, self.insertion, self.composition, scale)
            == (part["slot"], part["form"], part["insertion"], part["composition"], part["scale"])
            and self.init in (None, part["init"])
            and (part["representation"] in _AFTER_NORM) == self.is_after_norm
        )


@cache
def _kind(name: str) -> str:
    """What kind of method a row is; a report asks for every record and row."""
    return ROWS[name].request().method.kind


@cache
def _parts(name: str, variant: str) -> tuple[_Part, ...]:
    """The deltas of a row, from what is typed for it."""
    request = ROWS[name].request(variant)
    chosen = {Slot.ATTN: request.method.attn, Slot.FFN: request.method.ffn}
    found: list[_Part] = []
    for slot, config in chosen.items():
        if config is None or slot not in request.position.slots:
            continue
        form = FORMS[config.form]
        composition = COMPOSITIONS[config.composition or request.composition.name]
        own = request.composition.scale if request.composition.scale is not None else config.scale
        found.append(
            _Part(
                slot=slot,
                form=form.name,
                insertion=config.insertion or request.insertion.name,
                composition=composition.name,
                scale=(4.0 if own is None else own) if composition.reads_scale else 1.0,
                init=None if form.level == "heads" else config.init or form.inits[0],
                is_after_norm=config.at_layer_output,
            )
        )
    return tuple(found)


_KEY = re.compile(r"([a-z_+]+)(?:@([0-9]+(?:;[0-9]+)*))?(?:\[(.+)\])?")


def key_of_row(row: Mapping[str, str]) -> str:
    """The key of a row in `results/paper/results.csv`; `full_ft_published` for numbers that the paper copied."""
    method, size, composition = row["method"], row["bottleneck"], row["composition"]
    if method == "mam" and not size:
        size = "30;512"  # Figure 2 names none
    if size.startswith("XSum"):  # "XSum 300*; MT 200*"
        size = size.split("; ")[0 if row["task"] == "xsum" else 1]
    found = re.findall(r"[0-9]+", size)
    if method in ROWS and len(found) < len(ROWS[method].slots):
        found *= 2  # Houlsby's adapters: one number for both
    numbers = ";".join(found)
    variants = ROWS[method].variants if method in ROWS else {}
    variant = next((variant for variant in variants if variant in composition), "")
    return f"{method}{'@' * bool(numbers)}{numbers}{f'[{variant}]' if variant else ''}"


def words_of_key(key: str) -> str:
    """What to type after `python train.py` for the design of a key.

    Raises:
        KeyError: no row has this key.
    """
    found = _KEY.fullmatch(key)
    if found is None:
        raise KeyError(key)
    row, sizes, variant = ROWS[found[1]], found[2].split(";") if found[2] else [], found[3]
    names = {"prompt": "method.length"}
    typed = [
        f"{names.get(slot, f'method.{slot}.bottleneck')}={size}" for slot, size in zip(row.slots, sizes, strict=True)
    ]
    return " ".join([row.words, *typed, *([row.variants[variant]] if variant else [])])


def side_of_spec(spec: Mapping[str, Any]) -> tuple[str, str]:
    """The row that a record's spec belongs to, e.g. `pa_ffn`, and its key.

    The row is "" if it is not in the paper; the key is "" for a design that is in no table of the paper, or has a
    different size. Bottlenecks match if they are the paper's or, on a smaller backbone, have the same share.
    """
    if not {"design", "backbone", "published_bottlenecks"} <= spec.keys() or "kind" not in spec["design"]:
        return "", ""
    parts = (spec["design"], spec["published_bottlenecks"], spec["backbone"]["architecture"])
    return _side(*(canonical(part) for part in parts), spec["task"]["name"])


@cache
def _side(design: str, published: str, architecture: str, task: str) -> tuple[str, str]:
    content, sizes = json.loads(design), json.loads(published)
    for name, row in ROWS.items():
        for variant in ("", *row.variants):
            if not is_of_row(content, name, variant, task) or set(sizes) != set(row.slots):
                continue
            suffix = f"[{variant}]" if variant else ""
            if not _has_sizes(content, sizes, json.loads(architecture)):
                return f"{name}{suffix}", ""
            numbers = ";".join(str(sizes[slot]) for slot in row.slots)
            return f"{name}{suffix}", f"{name}{'@' * bool(numbers)}{numbers}{suffix}"
    return "", ""


def is_of_row(design: Mapping[str, Any], name: str, variant: str, task: str) -> bool:
    """Whether a record's design is that of a row, of whatever size."""
    parts, mine = design.get("parts", []), _parts(name, variant)
    return (
        design["kind"] == _kind(name)
        and len(parts) == len(mine)
        and all(one.matches(part, task) for one, part in zip(mine, parts, strict=True))
    )


def _has_sizes(content: Mapping[str, Any], sizes: Mapping[str, int], architecture: Mapping[str, Any]) -> bool:
    """Whether a design has the same share of its backbone as the paper's bottlenecks have of the paper's."""
    design = design_from_dict(dict(content))
    facts = {name: architecture[name] for name in ("name", "n_labels", "published_denominator")}
    here = architecture_from_config(architecture["config"], **facts)
    there = published_for(here.family.name, n_labels=here.n_labels)
    if isinstance(design, PromptTuning):
        return design == same_share(replace(design, length=sizes["prompt"]), there, here)
    if isinstance(design, Deltas):
        parts = tuple(replace(part, bottleneck=sizes[part.slot]) for part in design.parts)
        return design == same_share(replace(design, parts=parts), there, here)
    return True
