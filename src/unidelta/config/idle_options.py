"""Keys of a slot that its form, its place or its composition would ignore: refused, because somebody asked."""

from unidelta.config.schema import RunConfig, SlotConfig
from unidelta.design.axes import Composition, Form, Reparameterisation, Slot
from unidelta.design.spec import HEAD_LEVEL
from unidelta.errors import DesignError, UserError


def idle_options(
    config: RunConfig,
    chosen: SlotConfig,
    slot: Slot,
    *,
    form: Form,
    composition: Composition,
    reparameterisation: Reparameterisation,
) -> list[UserError]:
    """One refusal for each idle key.

    Args:
        config: the composed configuration.
        chosen: what the method puts into the slot.
        slot: attention or FFN.
        form: the slot's form.
        composition: the slot's composition, its own or the axis'.
        reparameterisation: of P_k, P_v, where the form has them.
    """
    where = f"method.{slot}"
    has_vectors = form in HEAD_LEVEL
    has_mlp = has_vectors and reparameterisation is Reparameterisation.MLP
    is_scaled, axis_scale = composition is Composition.SCALED, config.composition.scale
    own_scale = None if chosen.scale is None else f"scale={chosen.scale:g}"

    # for each kind of key: beside what it is idle, why, and what would use it
    with_form = f"{where}.form={form}"
    adapter = (
        with_form,
        "only bottleneck adapters have biases, and only those at the FFN can follow its add & norm",
        "method.ffn.form=bottleneck",
    )
    vectors = (with_form, "only prefixes and multi-head adapters have P_k, P_v, which an MLP can make", "method=prefix")
    mlp = vectors
    if has_vectors:
        direct = f"{where}.reparameterisation=direct"
        mlp = (direct, "P_k, P_v are trained directly, so no MLP makes them", f"{where}.reparameterisation=mlp")
    axis = "composition" if chosen.composition is None else f"{where}.composition"
    scale = (f"{axis}={composition}", f"only the scaled composition has an s; {composition} would ignore it")
    scale = (*scale, f"{axis}=scaled")
    if is_scaled and axis_scale is not None:
        both = f"composition.scale={axis_scale:g}"
        scale = (both, "composition.scale is the s of every scaled slot, whatever its own", f"leave {both} out")

    idle = [
        ("at_layer_output=true", chosen.at_layer_output and (form, slot) != (Form.BOTTLENECK, Slot.FFN), adapter),
        (f"bias={chosen.bias}", chosen.bias is not None and form is not Form.BOTTLENECK, adapter),
        ("reparameterisation=direct", chosen.reparameterisation == "direct" and not has_vectors, vectors),
        (f"mlp_width={chosen.mlp_width}", chosen.mlp_width is not None and not has_mlp, mlp),
        (f"prefix_dropout={chosen.prefix_dropout:g}", chosen.prefix_dropout != 0 and not has_mlp, mlp),
        (f"{own_scale}", own_scale is not None and (not is_scaled or axis_scale is not None), scale),
    ]
    return [
        DesignError(f"{where}.{option} with {beside}", why, f"leave {where}.{option.split('=')[0]} out, or {way_out}")
        for option, is_idle, (beside, why, way_out) in idle
        if is_idle
    ]
