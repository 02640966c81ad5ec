"""Resolve a request to a `Design`: pure, without torch or Hydra, reporting all problems at once.

A method names the form in each slot and presets the axes; `position` selects among its slots; `insertion`
and `composition` apply to every selected slot that does not pin them; the budget is solved last.
"""

from collections.abc import Sequence

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Conventions, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.request import SLOTS, Request, SlotConfig, slots_of, stated_sizes
from unidelta.design.resolve_part import part
from unidelta.design.resolve_size import resolve_size, sized_by_budget
from unidelta.design.rules import check
from unidelta.design.spec import BitFit, Deltas, Design, Frozen, FullFineTuning, LinearProbe, PromptTuning
from unidelta.design.wording import in_words, number, typed_budget, typed_key, typed_sizes
from unidelta.errors import ConfigError, DesignError, Problems, UserError


def checked_design(request: Request, *, architecture: Architecture, published: Architecture) -> Design:
    """The requested design.

    Args:
        request: as for `resolve_design`.
        architecture: as for `resolve_design`.
        published: as for `resolve_design`.

    Raises:
        Problems: all that is wrong with it, together.
    """
    design, problems = resolve_design(request, architecture=architecture, published=published)
    if problems:
        raise Problems(problems)
    return design


def resolve_design(
    request: Request, *, architecture: Architecture, published: Architecture
) -> tuple[Design, list[UserError]]:
    """The requested design, and all its problems.

    Args:
        request: the request.
        architecture: the backbone of this run.
        published: the paper's backbone, on which the method's bottlenecks are stated.

    Returns:
        The design, usable only if the list of problems is empty.
    """
    problems: list[UserError] = []
    kind = request.method.kind
    stands_on = architecture  # the backbone that the design's sizes refer to
    if kind == "deltas":
        design = _deltas(request, architecture, published, problems)
        stands_on = published if problems else architecture  # with problems, sizes were not resolved
        if not problems:
            design = resolve_size(request, design, architecture, published, problems)
    elif kind in ("full_fine_tuning", "bitfit", "frozen"):
        _refuse_axes(request, ("position", "insertion", "composition", "budget"), problems)
        head = trains_head(request, architecture)
        if kind == "full_fine_tuning" and request.head == "frozen":
            name, head_key = request.method.name, typed_key("training.head")
            problems.append(
                ConfigError(
                    f"method={name} {head_key}=frozen",
                    f"{name} trains every parameter, a classification head's too",
                    f"method={name} {head_key}=conventions, or method=bitfit {head_key}=frozen",
                )
            )
        floor = LinearProbe() if head and request.head == "trained" else Frozen()
        design = {"full_fine_tuning": FullFineTuning(), "bitfit": BitFit(trains_head=head), "frozen": floor}[kind]
    elif kind == "prompt_tuning":
        _refuse_axes(request, ("position", "insertion", "composition"), problems)
        design = _prompt(request, architecture, published, problems)
    else:
        problems.append(
            ConfigError(
                f"method.kind={kind}",
                "there is no such kind of method",
                "method.kind=deltas, full_fine_tuning, bitfit, prompt_tuning or frozen",
            )
        )
        design = FullFineTuning()
    if not problems or (isinstance(design, Deltas) and design.parts):
        own = check(design, stands_on)
        known = {problem.why for problem in own}  # the published backbone has the same rules
        problems = [*(problem for problem in problems if problem.why not in known), *own]
    return design, problems


def trains_head(request: Request, architecture: Architecture) -> bool:
    """Whether a classification head's weights are trained; without a head, nothing is.

    The released code leaves RoBERTa's new head frozen at its random values. The text does not say so, and there is no
    released code for other architectures, so the head is trained in both of these cases.
    """
    if not architecture.n_labels:
        return False
    if request.head == "conventions":
        return request.conventions == Conventions.PAPER or not architecture.family.released.freezes_head
    return request.head == "trained"


def _deltas(request: Request, architecture: Architecture, published: Architecture, problems: list[UserError]) -> Deltas:
    slots = _selected(request, problems)
    parts = [found for key, chosen in slots if (found := part(request, key, chosen, architecture, published, problems))]
    is_unused = not any(COMPOSITIONS[each.composition].reads_scale for each in parts) and len(parts) == len(slots)
    if request.composition.scale is not None and is_unused:
        scale = f"{typed_key('composition.scale')}={request.composition.scale:g}"
        problems.append(
            ConfigError(
                f"composition={request.composition.name} {scale}",
                f"only the scaled composition has an s; {request.composition.name} would ignore it",
                f"composition=scaled {scale}",
            )
        )
    return Deltas(parts=tuple(parts), trains_head=trains_head(request, architecture))


def _selected(request: Request, problems: list[UserError]) -> list[tuple[str, SlotConfig]]:
    """The keys of the method's deltas at the position, and their settings."""
    method = request.method
    deltas = slots_of(method)
    defined = list(dict.fromkeys(SLOTS[key] for key in deltas))
    asked = f"method={method.name} position={request.position.name}"
    if not defined:
        why = f"method.kind={method.kind} inserts deltas, and the method has neither method.attn nor method.ffn"
        problems.append(DesignError(asked, why, "one of them in the method's file, or a method such as method=adapter"))
        return []
    if not request.position.slots:
        problems.append(DesignError(asked, "a delta needs a position", f"position={' or position='.join(defined)}"))
    selected: list[tuple[str, SlotConfig]] = []
    unknown = [name for name in request.position.slots if name not in list(Slot)]
    if unknown:
        problems.append(
            ConfigError(
                f"position.slots=[{','.join(request.position.slots)}]",
                f"{in_words(unknown)} is not a slot",
                "position=attn, position=ffn or position=both",
            )
        )
    for slot in (Slot(name) for name in request.position.slots if name not in unknown):
        here = [(key, chosen) for key, chosen in deltas.items() if SLOTS[key] is slot]
        selected += here
        if here:
            continue
        why = f"the method has no delta at {slot}; it is defined at {' and '.join(defined)}"
        form = FORMS.get(next(iter(deltas.values())).form)
        if slot is Slot.FFN and form is not None and form.level == "heads":
            why += f", because a {form.name} changes attention heads and an FFN has none"
        problems.append(
            DesignError(
                asked,
                why,
                f"position={defined[0]}, or a method that is defined at {slot}: {_ALTERNATIVES[slot]}",
            )
        )
    return selected


_ALTERNATIVES = {
    Slot.ATTN: "method=adapter, method=lora, method=parallel_adapter or method=prefix",
    Slot.FFN: "method=adapter, method=lora, method=parallel_adapter or method=mam",
}


def _prompt(
    request: Request, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> PromptTuning:
    is_sized = bool(sized_by_budget(request, ["prompt"]))
    length = 1 if is_sized else request.method.length or 0
    design = PromptTuning(length=length, trains_head=trains_head(request, architecture))
    of_slots = {name: size for name, size in stated_sizes(request.budget).items() if name in list(Slot)}
    if of_slots:
        problems.append(
            ConfigError(
                f"method={request.method.name} {typed_sizes(of_slots)}",
                "a prompt is in front of the text; it has no slots",
                typed_budget(bottleneck=200),
            )
        )
    return resolve_size(request, design, architecture, published, problems)


def _refuse_axes(request: Request, axes: Sequence[str], problems: list[UserError]) -> None:
    chosen = {axis: getattr(request, axis).name for axis in axes}
    refused = [axis for axis in axes if chosen[axis] != "none"]
    given = [f"{axis}={chosen[axis]}" for axis in refused]
    sizes = stated_sizes(request.budget) if "budget" in axes else {}
    selections = {"composition.scale": request.composition.scale, "layers": request.layers, "tokens": request.tokens}
    stray = {typed_key(name): number(chosen) for name, chosen in selections.items() if chosen not in (None, "all")}
    if stray or sizes:
        typed = [*(f"{name}={value}" for name, value in stray.items()), *([typed_sizes(sizes)] if sizes else [])]
        ignored = in_words(list(dict.fromkeys([*stray, *(typed_key(f"budget.{name}") for name in sizes)])))
        problems.append(
            ConfigError(
                f"method={request.method.name} {' '.join(typed)}",
                f"{request.method.name} inserts no delta and would ignore {ignored}",
                f"method={request.method.name} without {ignored}",
            )
        )
    if given:
        problems.append(
            DesignError(
                f"method={request.method.name} {' '.join(given)}",
                f"{request.method.name} inserts no delta, so it has no {in_words(refused)}",
                f"method={request.method.name} alone, or a method with deltas such as method=adapter",
            )
        )
