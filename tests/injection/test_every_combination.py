"""Every form × position × insertion × composition × family is either built and trains, or is refused.

The rules are stated here a second time, from the paper and not from our table of rules:
a prefix and a multi-head adapter exist at attention only and read the query, so they are parallel; the gate
is a ratio of softmax normalisers, which a prefix alone has; IA³ and LoReFT edit what they read, so they are sequential;
a change of a weight takes a matrix of its shape, or a rotation of its input; α/√r takes a rank. The rest is free.
"""

from dataclasses import replace
from itertools import combinations, product

import pytest
import torch

from unidelta.config.schema import RunConfig
from unidelta.design.axes import Insertion, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.count import count
from unidelta.design.form import FORMS
from unidelta.design.request import CompositionConfig, InsertionConfig, MethodConfig, PositionConfig, SlotConfig
from unidelta.design.resolve import resolve_design
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject

from ..composed import composed

POSITIONS = {"attn": ["attn"], "ffn": ["ffn"], "both": ["attn", "ffn"]}
TASKS = {"bart": "xsum", "mbart": "wmt_en_ro", "roberta": "mnli", "bert": "mnli"}
TASKS |= dict.fromkeys(("llama", "mistral", "qwen3", "gemma3", "gpt2", "t5"), "xsum") | {"modernbert": "mnli"}
OWN = ("bart", "mbart", "roberta")  # the backbones of these tasks, unless another one is named
COMBINATIONS = list(product(FORMS, POSITIONS, Insertion, COMPOSITIONS))
HEAD_LEVEL = ("prefix", "head_adapter")
ROTATIONS = ("block_rotation", "reflections")


def exists(form: str, position: str, insertion: str, composition: str) -> bool:
    """Whether the paper's equations define the combination."""
    if form in HEAD_LEVEL and (position != "attn" or insertion != "parallel"):
        return False
    if form in ("diagonal", "tied_orthogonal") and insertion != "sequential":
        return False
    if composition in ("magnitude_direction", "modulated") and (form != "low_rank" or insertion != "parallel"):
        return False
    if (composition == "rotated") is not (form in ROTATIONS) or (form in ROTATIONS and insertion != "parallel"):
        return False
    if composition == "rank_stabilised" and form == "diagonal":
        return False
    return composition != "gated" or form == "prefix"


def covering() -> set[tuple[str, ...]]:
    """Enough of the combinations: any two choices that exist together do meet."""
    met: set[tuple[tuple[int, str], ...]] = set()
    found: set[tuple[str, ...]] = set()
    for combination in (one for one in COMBINATIONS if exists(*one)):
        pairs = set(combinations(enumerate(combination), 2))
        if pairs - met:
            met |= pairs
            found.add(combination)
    return found


def method(form: str) -> MethodConfig:
    """A method of one form in both slots, as one would write it in conf/method."""
    mlp_width = 4 if form in HEAD_LEVEL else None
    slots = {
        slot: SlotConfig(
            form=form,
            bottleneck=0 if form == "diagonal" else 4,
            mlp_width=mlp_width,
            targets=list(FORMS[form].usual_targets.get(slot, ())),
        )
        for slot in Slot
    }
    attn, ffn = slots.values()
    return MethodConfig(name=form, attn=attn, ffn=ffn, flexible=["attn", "ffn"])


def base(family: str) -> RunConfig:
    """A composition of the family; the axes are set on it as their groups would set them."""
    return composed(["method=adapter", f"task={TASKS[family]}", *([] if family in OWN else [f"backbone={family}"])])


def asked(config: RunConfig, form: str, position: str, insertion: str, composition: str) -> RunConfig:
    return replace(
        config,
        method=method(form),
        position=PositionConfig(name=position, slots=POSITIONS[position]),
        insertion=InsertionConfig(name=insertion),
        composition=CompositionConfig(name=composition),
    )


@pytest.mark.parametrize(
    ("family", "trained"),
    [pytest.param(f, COMBINATIONS, id=f, marks=() if f == "bart" else pytest.mark.slow) for f in TASKS]
    + [pytest.param(f, covering(), id=f"{f} in pairs") for f in ("roberta", "llama")],
)
def test_every_combination_is_built_and_trains_or_is_refused(tiny, batch, family, trained):
    """BART trains every one; of what two other kinds of model train, any two choices meet."""
    own = base(family)
    kind = own.backbone.family
    architecture = architecture_of(tiny(kind).config, name="tiny")
    built, refused = [], []
    for combination in COMBINATIONS:
        config = asked(own, *combination)
        design, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
        assert bool(problems) is not exists(*combination), combination
        if problems:
            for problem in problems:
                lines = str(problem).splitlines()
                assert [line[:12] for line in lines] == ["You asked:  ", "Why not:    ", "Instead:    "]
                assert all(len(line) > 12 for line in lines)
            refused.append(combination)
            continue
        built.append(combination)
        if combination not in trained:
            continue
        model = tiny(kind)
        injection = inject(model, design, generator=torch.Generator().manual_seed(0))
        counts = count(design, architecture)
        assert (injection.n_trained, injection.n_stored) == (counts.trained, counts.stored), combination
        loss = model(**batch(kind)).loss
        loss.backward()
        parameters = dict(model.named_parameters())
        assert torch.isfinite(loss)
        assert all(parameters[name].grad is not None for name in injection.trained), combination
        assert injection.trained
    # adapters and LoRA: 3 positions × 2 insertions × 6 compositions of h each, LoRA × 2 of weights; prefix: 7, head
    # adapter: 6; IA³: 3 positions × 5 compositions, LoReFT × 6; rotations: 3 positions each
    n_built = 2 * 3 * 2 * 6 + 3 * 2 + 7 + 6 + 3 * 5 + 3 * 6 + 2 * 3
    assert (len(built), len(refused)) == (n_built, len(COMBINATIONS) - n_built)


@pytest.mark.parametrize(
    ("form", "position", "insertion", "composition", "n_problems"),
    [
        ("prefix", "ffn", "parallel", "additive", 1),
        ("prefix", "ffn", "sequential", "additive", 2),
        ("prefix", "both", "sequential", "gated", 3),
        ("head_adapter", "attn", "sequential", "gated", 2),
        ("head_adapter", "both", "sequential", "gated", 5),
        ("bottleneck", "both", "parallel", "gated", 2),
        ("low_rank", "attn", "sequential", "gated", 1),
    ],
)
def test_all_that_is_wrong_is_said_at_once(tiny, form, position, insertion, composition, n_problems):
    architecture = architecture_of(tiny("bart").config, name="tiny")
    config = asked(base("bart"), form, position, insertion, composition)
    _, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
    assert len(problems) == n_problems
    assert len({(problem.asked, problem.why) for problem in problems}) == n_problems
