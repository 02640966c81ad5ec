"""The designs of one form with one composition in one architecture that are checked.

Every place and insertion, with the settings of the authors' code, and with one of them changed: the layer norm, or
where P_k joins keys with rotary positions.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from unidelta.check.finding import Finding
from unidelta.check.one_design import check_design, check_larger
from unidelta.check.tiny import tiny
from unidelta.design.axes import Insertion, LayerNorm, Rotation, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.describe import describe
from unidelta.design.family import Family
from unidelta.design.form import FORMS, Outline
from unidelta.design.generator import GENERATORS
from unidelta.design.rules import check as faults
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.errors import UserError
from unidelta.extensions.origin import raised_at
from unidelta.extensions.paths import PACKAGE
from unidelta.injection.architecture import architecture_of

_ABOUT = 3  # the bottleneck, or the next multiple of its step


def check_designs(family: Family, form: str, composition: str, *, generator: str | None = None) -> Iterator[Finding]:
    """Check a form with a composition at every place and insertion that the rules allow, in one architecture."""
    architecture = architecture_of(tiny(family).config, name=family.name)
    for slot in Slot:
        for insertion in Insertion:
            for spec in _settings(_spec(family, form, composition, slot, insertion, generator)):
                design = Deltas(parts=(spec,))
                larger = Deltas(parts=(replace(spec, bottleneck=spec.bottleneck + FORMS[form].step(spec)),))
                if not faults(design, architecture):
                    has_larger = FORMS[form].size is not None and not faults(larger, architecture)
                    yield from _checked(family, design, larger if has_larger else None)


def _checked(family: Family, design: Deltas, larger: Deltas | None) -> Iterator[Finding]:
    where = f"{family.name}, {describe(design)}"
    try:
        yield from check_design(family, design, where)
        if larger is not None:
            yield from check_larger(family, design, larger, f"{family.name}, {describe(larger)}")
    except Exception as error:  # whatever a user's module raises is the finding
        yield Finding(what="it runs", where=where, wrong=_what_was_raised(error, design))


def _what_was_raised(error: Exception, design: Deltas) -> str:
    """What was raised, and the last line of the author's own code that it passed."""
    if isinstance(error, UserError):
        return f"{error.asked}: {error.why}"
    (spec,) = design.parts
    files = [FORMS.file_of(spec.form), COMPOSITIONS.file_of(spec.composition)]
    if spec.generator is not None:
        files.append(GENERATORS.file_of(spec.generator))
    return raised_at(error, [file for file in files if not Path(file).is_relative_to(PACKAGE)])


def _settings(spec: DeltaSpec) -> Iterator[DeltaSpec]:
    """A delta as it is by default, and with one setting changed that its form reads; rules refuse what cannot be."""
    yield spec
    reads = FORMS[spec.form].reads
    if "layer_norm" in reads:
        yield from (replace(spec, layer_norm=norm) for norm in LayerNorm if norm is not spec.layer_norm)
    if "rotation" in reads:
        yield from (replace(spec, rotation=rotation) for rotation in Rotation if rotation is not spec.rotation)


def _spec(
    family: Family, form: str, composition: str, slot: Slot, insertion: Insertion, generator: str | None
) -> DeltaSpec:
    descriptor, making = FORMS[form], None if generator is None else GENERATORS[generator]
    details = descriptor.released(Outline(slot=slot, insertion=insertion, at_layer_output=False, family=family))
    has_dropout = "dropout" in descriptor.reads and not COMPOSITIONS[composition].is_gate
    spec = DeltaSpec(
        slot=slot,
        form=form,
        insertion=insertion,
        composition=composition,
        bottleneck=0,
        scale=2.0 if COMPOSITIONS[composition].reads_scale else 1.0,
        init=(making or descriptor).inits[0],
        dropout=0.0 if has_dropout else None,
        targets=tuple(descriptor.usual_targets.get(slot, ())),
        options=tuple({**descriptor.options, **(making.options if making else {})}.items()),
        generator=generator,
        **{field.name: getattr(details, field.name) for field in fields(details)},
    )
    step = descriptor.step(spec)
    return replace(spec, bottleneck=0 if descriptor.size is None else -(-_ABOUT // step) * step)
