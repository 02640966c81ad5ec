"""Refuse keys of a slot that its form, its place or its composition would ignore."""

from unidelta.design.axes import Reparameterisation, Slot
from unidelta.design.composition import COMPOSITIONS, Composition
from unidelta.design.form import FORMS, Form
from unidelta.design.request import SLOTS, Request, SlotConfig
from unidelta.design.wording import in_words, typed_key
from unidelta.errors import DesignError, UserError

_DEFAULT = SlotConfig()
_OF_FORMS = "at_layer_output bias source reparameterisation mlp_width prefix_dropout rotation text_start".split()
_OF_MLPS = ("mlp_width", "prefix_dropout")


def ignored_keys(
    request: Request, chosen: SlotConfig, place: str, *, form: Form, composition: Composition
) -> list[UserError]:
    """One refusal for each given key that would not be read.

    Args:
        request: the request.
        chosen: the method's settings for this slot.
        place: the method's key of this delta, such as `attn`.
        form: the slot's form.
        composition: the slot's composition, pinned or from the axis.
    """
    where = f"method.{place}"
    found: list[UserError] = []
    for key in _OF_FORMS:
        value = getattr(chosen, key)
        if value == getattr(_DEFAULT, key):
            continue
        asked = f"{where}.{key}={_typed(value)}"
        leave = f"leave {where}.{key} out"
        if key not in form.reads:
            readers = [each for each in FORMS.values() if key in each.reads]
            why = f"only {in_words([each.title for each in readers])} would read it"
            instead = f"{leave}, or {where}.form={readers[0].name}"
            found.append(DesignError(f"{asked} with {where}.form={form.name}", why, instead))
        elif key == "at_layer_output" and SLOTS[place] is not Slot.FFN:
            why = "the add & norm that it names is the FFN's"
            found.append(
                DesignError(f"{asked} with {where}.form={form.name}", why, f"{leave}, or method.ffn.{key}=true")
            )
        elif key in _OF_MLPS and chosen.reparameterisation == Reparameterisation.DIRECT:
            direct, mlp = (f"{where}.reparameterisation={way}" for way in ("direct", "mlp"))
            why = "P_k, P_v are trained directly, so no MLP makes them"
            found.append(DesignError(f"{asked} with {direct}", why, f"{leave}, or {mlp}"))
    return [*found, *_unused_scale(request, chosen, where, composition)]


def _unused_scale(request: Request, chosen: SlotConfig, where: str, composition: Composition) -> list[UserError]:
    axis_scale = request.composition.scale
    if chosen.scale is None or (composition.reads_scale and axis_scale is None):
        return []
    asked, leave = f"{where}.scale={chosen.scale:g}", f"leave {where}.scale out"
    if composition.reads_scale:
        both = f"{typed_key('composition.scale')}={axis_scale:g}"
        why = f"{typed_key('composition.scale')} is the s of every scaled slot, whatever its own"
        return [DesignError(f"{asked} with {both}", why, f"{leave}, or leave {both} out")]
    axis = "composition" if chosen.composition is None else f"{where}.composition"
    scaled = next(name for name, each in COMPOSITIONS.items() if each.reads_scale)
    why = f"only the {scaled} composition has an s; {composition.name} would ignore it"
    return [DesignError(f"{asked} with {axis}={composition.name}", why, f"{leave}, or {axis}={scaled}")]


def _typed(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
