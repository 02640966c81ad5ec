"""The bottleneck of adapters (Houlsby et al. 2019; He et al. 2022, Eq. 4)."""

from typing import TYPE_CHECKING

from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot, Source
from unidelta.design.form import Details, Form, Materials, Outline, register_form
from unidelta.design.generator import generated_maps, generator_of
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.form_module import FormModule


@register_form
class Bottleneck(Form):
    """`Δh = ReLU(z W_down) W_up`, z the input or the output of a sub-layer."""

    name = "bottleneck"
    title = "a bottleneck adapter"
    short = "adapter"
    formula = "ReLU({z} W_down) W_up"
    level = "sublayer"
    reads = frozenset({"init", "layer_norm", "bias", "dropout", "at_layer_output", "source"})
    inits = (Init.BERT, Init.LORA)
    zero_starts = (Init.LORA,)
    generated = "maps"

    def released(self, outline: Outline) -> Details:
        """Biases everywhere; at attention a layer norm, and in parallel before W_o; in pre-LN models x unnormalised."""
        is_parallel, is_attention = outline.insertion is Insertion.PARALLEL, outline.slot is Slot.ATTN
        if outline.at_layer_output:
            # RoBERTa's code adds A(LN(x + f)) to x + f and normalises again; in pre-LN models both are x + f
            representation = Representation.LAYER if outline.family.is_pre_norm else Representation.RESIDUAL
        elif is_attention and is_parallel:
            representation = Representation.CONCAT  # modeling_bart.py:300
        else:
            representation = Representation.SUBLAYER
        # modeling_mbart.py:457 reads the residual stream; the frozen FFN reads its layer norm (Q9)
        reads_stream = not is_attention and is_parallel and outline.family.released.ffn_adapter_reads_stream
        return Details(
            representation=representation,
            source=Source.RESIDUAL_STREAM if reads_stream else Source.SUBLAYER_INPUT,
            layer_norm=LayerNorm.IN if is_attention else LayerNorm.NONE,  # the option is ignored at attention
            bias=True,
        )

    def paper(self, outline: Outline) -> Details:
        """The equation: no biases, no layer norm, at the sub-layer's output."""
        return Details(representation=Representation.LAYER if outline.at_layer_output else Representation.SUBLAYER)

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """r (d_read + d_changed): Table 9's 2rd."""
        return spec.bottleneck * (place.d_read + place.d_changed)

    def n_vectors(self, spec: DeltaSpec, place: Place) -> int:
        """One bias for each map."""
        return self._n_activations(spec, place) + place.d_changed if spec.bias else 0

    def _n_activations(self, spec: DeltaSpec, place: Place) -> int:
        generator = generator_of(spec)
        return spec.bottleneck if generator is None else generator.n_activations(spec, place)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FormModule":
        """`deltas.bottleneck.Bottleneck`, or the same with maps that a generator makes."""
        from unidelta.deltas.bottleneck import Bottleneck as Module
        from unidelta.deltas.bottleneck import GeneratedBottleneck
        from unidelta.deltas.layer_norm import layer_norm

        maps = generated_maps(spec, place, materials)
        if maps is not None:
            return GeneratedBottleneck(
                maps,
                widths=(self._n_activations(spec, place), place.d_changed),
                bias=spec.bias,
                dropout=materials.dropout if spec.dropout is None else spec.dropout,
                norm=layer_norm(spec, LayerNorm.IN, place.d_read),
            )
        return Module(
            (place.d_read, spec.bottleneck, place.d_changed),
            init=spec.init,
            bias=spec.bias,
            dropout=materials.dropout if spec.dropout is None else spec.dropout,
            norm=layer_norm(spec, LayerNorm.IN, place.d_read),
            generator=materials.generator,
        )
