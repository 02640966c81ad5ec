"""Which combinations are refused, and why: the single table behind every refusal.

It drives the errors, docs/design-space.md and the test that enumerates all combinations: each is either built
or refused by exactly these rules. The rules of a form or composition are in its own file.
"""

from collections.abc import Sequence
from dataclasses import replace

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Insertion, Representation, Slot, Source
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS, generator_of
from unidelta.design.layers import largest
from unidelta.design.rule import Rule
from unidelta.design.site import INNER, places
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, PromptTuning, parts_of
from unidelta.design.tokens import ALL
from unidelta.design.wording import no_budget, typed_budget
from unidelta.errors import DesignError

_AFTER_NORM = (Representation.LAYER, Representation.RESIDUAL)


def known_targets(part: DeltaSpec, architecture: Architecture) -> tuple[str, ...]:
    """The targets that all sites of the slot have, each once."""
    known = [site.targets for site in architecture.at(part.slot)]
    return tuple(target for target in dict.fromkeys(part.targets) if all(target in targets for targets in known))


def _unknown_targets(part: DeltaSpec, architecture: Architecture) -> bool:
    return known_targets(part, architecture) != part.targets


def _wrong_generator(part: DeltaSpec) -> bool:
    generator = generator_of(part)
    return generator is not None and generator.makes != FORMS[part.form].generated


GENERAL = (
    Rule(
        name="Pfeiffer adapters are sequential",
        refuses=lambda part, _: part.representation in _AFTER_NORM and part.insertion is Insertion.PARALLEL,
        why="a delta after a whole layer reads what it changes, so nothing is left for it to be parallel to",
        instead="insertion=sequential, or method=parallel_adapter",
    ),
    Rule(
        name="Pfeiffer adapters follow the FFN",
        refuses=lambda part, _: (
            part.representation in _AFTER_NORM and (part.slot is not Slot.FFN or FORMS[part.form].level != "sublayer")
        ),
        why="it follows the add & norm of the FFN, and only a form on sub-layers can stand there",
        instead="at_layer_output=false for this slot, or method=adapter_pfeiffer position=ffn",
    ),
    Rule(
        name="targets belong to forms on linear maps",
        refuses=lambda part, _: bool(part.targets) != (FORMS[part.form].level == "linear"),
        why="targets name the linear maps that a form such as LoRA changes; it has one or more, other forms none",
        instead="targets=[query,value] at attention or targets=[up,down] at the FFN with method=lora",
    ),
    Rule(
        name="targets belong to their slot",
        refuses=_unknown_targets,
        why="attention has the linear maps query, key, value and output; an FFN has up, down, a gate in gated ones, and"
        " the activation between them, inner; each once",
        instead="targets=[query,value] at attention, targets=[up,down] at the FFN",
    ),
    Rule(
        name="an inner activation is read where it is changed",
        refuses=lambda part, _: INNER in part.targets and part.insertion is Insertion.PARALLEL,
        why="the FFN's inner activation is a tensor, not a map: it has no input to be parallel to",
        instead="insertion=sequential, or targets=[up,down]",
    ),
    Rule(
        name="a form reads what its architecture hands on",
        refuses=lambda part, architecture: part.source not in architecture.family.sources,
        why="the FFN of this architecture is a module of its own, which is given only its input, after the layer norm",
        instead="conventions=paper, by which a parallel form reads the sub-layer's input",
    ),
    Rule(
        name="the residual stream is read beside an FFN",
        refuses=lambda part, architecture: (
            part.source is Source.RESIDUAL_STREAM
            and not (architecture.family.is_pre_norm and part.slot is Slot.FFN and part.insertion is Insertion.PARALLEL)
        ),
        why="it differs from the sub-layer's input only in pre-LN models, before the layer norm, and only a parallel"
        " adapter at the FFN is built to read it",
        instead="source=null for this slot, or a parallel adapter at the FFN of a model such as mBART or Llama",
    ),
    Rule(
        name="dropout is a probability",
        refuses=lambda part, _: any(p is not None and not 0 <= p < 1 for p in (part.dropout, part.prefix_dropout)),
        why="a dropout probability lies in [0, 1)",
        instead="dropout=0.1 for this slot, or null for the host model's own",
    ),
    Rule(
        name="a bottleneck has a width",
        refuses=lambda part, _: FORMS[part.form].size is not None and part.bottleneck < 1,
        why="a bottleneck below 1 tunes nothing",
        instead=lambda: f"{typed_budget(bottleneck=30)}, or {no_budget()}",
    ),
    Rule(
        name="not every form has a bottleneck",
        refuses=lambda part, _: FORMS[part.form].size is None and part.bottleneck != 0,
        why="its size follows from the backbone alone: it has no bottleneck to choose",
        instead=lambda: f"{no_budget()}, and no bottleneck for this slot",
    ),
    Rule(
        name="an initialisation belongs to its form",
        refuses=lambda part, _: part.init not in (generator_of(part) or FORMS[part.form]).inits,
        why="`bert` and `lora` initialise the projections of adapters and LoRA; `bert` and `activations` the vectors of"
        " prefixes; `pissa` LoRA; `ones` and `bert` a diagonal; `identity` a rotation; `orthogonal` and `tied` LoReFT;"
        " what a generator makes starts as the generator says",
        instead="init=null for this slot",
    ),
    Rule(
        name="a generator makes what the form has",
        refuses=lambda part, _: _wrong_generator(part),
        why="generators of maps make the W_down and W_up of adapters and LoRA, generators of vectors the P_k and P_v of"
        " prefixes; other forms have neither",
        instead="generator=null for this slot, or form=low_rank",
    ),
    Rule(
        name="a bottleneck is a multiple of its step",
        refuses=lambda part, _: bool(FORMS[part.form].size) and part.bottleneck % FORMS[part.form].step(part) != 0,
        why="the blocks of a Kronecker product divide the bottleneck, and reflections come in pairs",
        instead=lambda: (
            f"{no_budget()}, or a bottleneck that is a multiple of 4 (of the terms of the product, or of 2)"
        ),
    ),
    Rule(
        name="the backbone has the layers",
        refuses=lambda part, architecture: largest(part.layers) > max(architecture.depths_of(part).values()),
        why="layers are counted from 0 in each stack, and no stack of this backbone is that deep",
        instead="layers=all, or fewer layers",
    ),
    Rule(
        name="tokens are chosen at the output of a layer",
        refuses=lambda part, _: (
            part.tokens != ALL
            and not ("tokens" in FORMS[part.form].reads and part.representation is Representation.LAYER)
        ),
        why="an intervention such as LoReFT edits the output of whole layers at some tokens of the source; every other"
        " delta is a part of the model that all tokens pass through",
        instead="tokens=all, or method=loreft",
    ),
    Rule(
        name="a rotation turns what a weight reads",
        refuses=lambda part, _: FORMS[part.form].turns_input != COMPOSITIONS[part.composition].turns_input,
        why="W R rotates the input of W, so this composition takes a rotation, and a rotation takes no other",
        instead="method=oft or method=hra, or composition=additive for another form",
    ),
)


def every_rule() -> tuple[Rule, ...]:
    """All rules, each once: the general ones, then those of forms and compositions."""
    own = [rule for thing in (*FORMS.values(), *GENERATORS.values(), *COMPOSITIONS.values()) for rule in thing.rules]
    return tuple({rule.name: rule for rule in (*GENERAL, *own)}.values())


def rules_of(part: DeltaSpec) -> tuple[Rule, ...]:
    """The rules that apply to a delta."""
    generator = generator_of(part)
    own = () if generator is None else generator.rules
    return (*GENERAL, *FORMS[part.form].rules, *own, *COMPOSITIONS[part.composition].rules)


def other_slot(design: Deltas | PromptTuning) -> str:
    """Advice to use the other slot as well, for a single delta that could be there too."""
    if not isinstance(design, Deltas) or len(design.parts) != 1:
        return ""
    (part,) = design.parts
    is_bound = FORMS[part.form].level == "heads" or part.representation in _AFTER_NORM
    return "" if is_bound else ", or position=both"


def check(design: Design, architecture: Architecture) -> list[DesignError]:
    """All problems of a design on a backbone; empty if it can be built.

    Raises:
        DesignError: a form, composition or generator is not registered.
    """
    errors: list[DesignError] = []
    for part in parts_of(design):
        check_names(part)
    if isinstance(design, PromptTuning):
        errors += _check_prompt(design, architecture)
    if isinstance(design, BitFit) and not architecture.n_backbone_biases:
        asked, why = f"BitFit on {architecture.name}", "its maps and norms have no biases, so nothing would train"
        errors.append(DesignError(asked, why, "method=lora or method=adapter"))
    if isinstance(design, Deltas):
        if not design.parts or _clash(design.parts, architecture):
            errors.append(
                DesignError(
                    f"deltas at {', '.join(part.slot for part in design.parts) or 'no position'}",
                    "a design has one delta at each place, and at least one",
                    "position=attn, position=ffn or position=both; two at one slot change different things there",
                )
            )
        for part in design.parts:
            errors += check_part(part, architecture, elsewhere=other_slot(design))
    return errors


def check_names(part: DeltaSpec) -> DeltaSpec:
    """The delta, if its form, composition and generator are registered.

    Raises:
        DesignError: one is not.
    """
    asked = f"a delta at {part.slot}"
    FORMS.find(part.form, asked=f"{asked}, form={part.form}")
    COMPOSITIONS.find(part.composition, asked=f"{asked}, composition={part.composition}")
    if part.generator is not None:
        GENERATORS.find(part.generator, asked=f"{asked}, generator={part.generator}")
    return part


def _clash(parts: Sequence[DeltaSpec], architecture: Architecture) -> bool:
    """Whether two deltas change the same thing at the same place."""
    known = [part for part in parts if not _unknown_targets(part, architecture)]
    found = [
        (site.kind, site.layer, place.target or part.representation)
        for part in known
        for site in architecture.sites_of(part)
        for place in places(part, site)
    ]
    return len(set(found)) < len(found)


def check_part(part: DeltaSpec, architecture: Architecture, *, elsewhere: str = "") -> list[DesignError]:
    """All problems of one delta on a backbone.

    Args:
        part: the delta.
        architecture: the backbone.
        elsewhere: the advice of `other_slot`, for a delta that is too large.
    """
    form = FORMS[part.form]
    size = f", bottleneck {part.bottleneck}" if form.size or part.bottleneck else ""
    chosen = "".join(
        f", {key} {value}" for key, value in (("layers", part.layers), ("tokens", part.tokens)) if value != ALL
    )
    asked = f"{form.title} at {part.slot}, {part.insertion}, {part.composition}{size}{chosen}, on {architecture.name}"
    # what forms, generators and compositions measure is there: maps that the slot has, a bottleneck of 1 at least
    measured = replace(part, targets=known_targets(part, architecture), bottleneck=max(1, part.bottleneck))
    broken = (rule for rule in rules_of(part) if rule.refuses(part if rule in GENERAL else measured, architecture))
    errors = [DesignError(asked, rule.why, rule.advice()) for rule in broken]
    if errors and _unknown_targets(part, architecture):
        return errors  # it has no places to measure
    limit, what = form.capacity(part, architecture)
    if errors and limit == 0:
        return errors  # its places have nothing of the kind
    if form.size and part.bottleneck > limit:
        errors.append(
            DesignError(
                asked,
                f"the bottleneck {part.bottleneck} is larger than {what}, {limit}: more than the slot can hold",
                f"{typed_budget(bottleneck=limit)} or less, or a smaller share{elsewhere}",
            )
        )
    return errors


def _check_prompt(design: PromptTuning, architecture: Architecture) -> list[DesignError]:
    asked = f"prompt tuning with {design.length} vectors on {architecture.name}"
    errors: list[DesignError] = []
    if architecture.family.kind == "encoder":
        why = (
            "the classifier reads the first position, where the prompt would stand (the authors' code "
            "creates no parameters here, and the paper has no such row)"
        )
        errors.append(DesignError(asked, why, "method=prefix, or task=xsum or task=wmt_en_ro"))
    if not 1 <= design.length <= architecture.max_positions:
        errors.append(
            DesignError(
                asked,
                f"a prompt has between 1 vector and the longest input, {architecture.max_positions}",
                typed_budget(bottleneck=200),
            )
        )
    return errors
