"""For every rule a delta that it refuses, and the nearest that it lets through."""

from unidelta.design.axes import Init, LayerNorm, Reparameterisation, Representation, Rotation, Slot, Source, TextStart

MLP, PREFIX = Reparameterisation.MLP, ("attn", "prefix")
COMPACTER = {"generator": "hypercomplex", "init": Init.LORA, "options": (("terms", 4),)}
# rule: (a delta it refuses, the nearest that it lets through), as arguments of `part` and fields changed after
CASES = {
    "head-level forms live in attention": (
        (("attn", "prefix"), {"slot": Slot.FFN}),
        (("attn", "prefix"), {}),
    ),
    "head-level forms are parallel": (
        (("attn", "head_adapter", "sequential"), {}),
        (("attn", "head_adapter", "parallel"), {}),
    ),
    "only a softmax can gate": (
        (("attn", "head_adapter", "parallel", "gated"), {}),
        (("attn", "prefix", "parallel", "gated"), {}),
    ),
    "Pfeiffer adapters are sequential": (
        (("ffn", "bottleneck", "parallel"), {"representation": Representation.LAYER}),
        (("ffn", "bottleneck", "sequential"), {"representation": Representation.LAYER}),
    ),
    "Pfeiffer adapters follow the FFN": (
        (("attn", "bottleneck", "sequential"), {"representation": Representation.LAYER}),
        (("ffn", "bottleneck", "sequential"), {"representation": Representation.LAYER}),
    ),
    "layer norm of linear maps": (
        (("attn", "low_rank"), {"layer_norm": LayerNorm.IN}),
        (("attn", "bottleneck"), {"layer_norm": LayerNorm.IN}),
    ),
    "layer norm of head-level forms": (
        (("attn", "prefix"), {"layer_norm": LayerNorm.OUT}),
        (("attn", "prefix"), {"layer_norm": LayerNorm.IN}),
    ),
    "targets belong to forms on linear maps": (
        (("attn", "bottleneck"), {"targets": ("query",)}),
        (("attn", "low_rank"), {"targets": ("query",)}),
    ),
    "not every form has a bottleneck": (
        (("attn", "diagonal", "sequential"), {"bottleneck": 3}),
        (("attn", "diagonal", "sequential"), {}),
    ),
    "a diagonal multiplies what it changes": (
        (("attn", "diagonal", "parallel"), {}),
        (("attn", "diagonal", "sequential"), {}),
    ),
    "layer norm of a diagonal": (
        (("attn", "diagonal", "sequential"), {"layer_norm": LayerNorm.IN}),
        (("attn", "diagonal", "sequential"), {}),
    ),
    "an inner activation is read where it is changed": (
        (("ffn", "low_rank", "parallel"), {"targets": ("inner",)}),
        (("ffn", "low_rank", "sequential"), {"targets": ("inner",)}),
    ),
    "a form reads what its architecture hands on": (
        (("ffn", "bottleneck"), {"source": Source.RESIDUAL_STREAM}),  # in a family without it
        (("ffn", "bottleneck"), {}),
    ),
    "the residual stream is read beside an FFN": (
        (("ffn", "bottleneck"), {"source": Source.RESIDUAL_STREAM}),
        (("ffn", "bottleneck"), {}),
    ),
    "only rotary positions rotate keys": ((PREFIX, {"rotation": Rotation.BEFORE}), (PREFIX, {})),
    "text starts at l where positions are an input": ((PREFIX, {"text_start": TextStart.LENGTH}), (PREFIX, {})),
    "targets belong to their slot": (
        (("attn", "low_rank"), {"targets": ("query", "up")}),
        (("attn", "low_rank"), {"targets": ("query", "key", "value", "output")}),
    ),
    "the scale is a positive number": (
        (("ffn", "bottleneck", "parallel", "scaled"), {"scale": 0.0}),
        (("ffn", "bottleneck", "parallel", "scaled"), {"scale": 0.001}),
    ),
    "dropout is a probability": (
        (("ffn", "bottleneck"), {"dropout": 1.0}),
        (("ffn", "bottleneck"), {"dropout": 0.0}),
    ),
    "a gated prefix shares attention's dropout": (
        (("attn", "prefix", "parallel", "gated"), {"dropout": 0.1}),
        (("attn", "prefix", "parallel", "additive"), {"dropout": 0.1}),
    ),
    "the MLP has a width": (
        (("attn", "prefix"), {"reparameterisation": MLP, "mlp_width": 0}),
        (("attn", "prefix"), {"mlp_width": 0}),
    ),
    "a bottleneck has a width": (
        (("ffn", "bottleneck"), {"bottleneck": 0}),
        (("ffn", "bottleneck"), {"bottleneck": 1}),
    ),
    "an initialisation belongs to its form": (
        (("attn", "prefix"), {"init": Init.LORA}),
        (("attn", "low_rank"), {"init": Init.LORA}),
    ),
    "PiSSA starts from the weight that it changes": (
        (("attn", "low_rank", "sequential"), {"init": Init.PISSA}),
        (("attn", "low_rank", "parallel"), {"init": Init.PISSA}),
    ),
    "PiSSA adds s times a matrix": (
        (("attn", "low_rank", "parallel", "input_gate"), {"init": Init.PISSA}),
        (("attn", "low_rank", "parallel", "rank_stabilised"), {"init": Init.PISSA}),
    ),
    "a generator makes what the form has": (
        (("attn", "low_rank"), {"generator": "projected", "init": Init.BERT}),
        (("attn", "prefix"), {"generator": "projected"}),
    ),
    "a bottleneck is a multiple of its step": (
        (("ffn", "bottleneck"), {**COMPACTER, "bottleneck": 6}),
        (("ffn", "bottleneck"), {**COMPACTER, "bottleneck": 8}),
    ),
    "the terms of a Kronecker sum divide the widths": (
        (("ffn", "bottleneck"), {**COMPACTER, "bottleneck": 6, "options": (("terms", 3),)}),
        (("ffn", "bottleneck"), {**COMPACTER, "bottleneck": 6, "options": (("terms", 2),)}),
    ),
    "the backbone has the layers": (
        (("ffn", "bottleneck"), {"layers": "0,12"}),
        (("ffn", "bottleneck"), {"layers": "0,11"}),
    ),
    "tokens are chosen at the output of a layer": (
        (("ffn", "tied_orthogonal", "sequential"), {"tokens": "first:4"}),
        (("ffn", "tied_orthogonal", "sequential"), {"tokens": "first:4", "representation": Representation.LAYER}),
    ),
    "a rotation turns what a weight reads": (
        (("attn", "reflections"), {"bottleneck": 8}),
        (("attn", "reflections", "parallel", "rotated"), {"bottleneck": 8}),
    ),
    "LoReFT edits what it reads": (
        (("ffn", "tied_orthogonal", "parallel"), {}),
        (("ffn", "tied_orthogonal", "sequential"), {}),
    ),
    "one way to make a prefix": (
        (("attn", "prefix"), {"generator": "projected", "reparameterisation": MLP}),
        (("attn", "prefix"), {"generator": "projected"}),
    ),
    "α is a positive number": (
        (("attn", "low_rank", "parallel", "rank_stabilised"), {"scale": 0.0}),
        (("attn", "low_rank", "parallel", "rank_stabilised"), {"scale": 0.1}),
    ),
    "α/√r needs a rank": (
        (("attn", "diagonal", "sequential", "rank_stabilised"), {}),
        (("attn", "low_rank", "sequential", "rank_stabilised"), {}),
    ),
    "a zero gate ends a delta": (
        (("ffn", "bottleneck", "parallel", "zero_gate"), {"layer_norm": LayerNorm.OUT}),
        (("ffn", "bottleneck", "parallel", "zero_gate"), {"layer_norm": LayerNorm.IN}),
    ),
    "a composition of weights needs a matrix": (
        (("ffn", "bottleneck", "parallel", "magnitude_direction"), {}),
        (("ffn", "low_rank", "parallel", "magnitude_direction"), {}),
    ),
    "a change of a weight reads what the weight reads": (
        (("attn", "low_rank", "sequential", "modulated"), {}),
        (("attn", "low_rank", "parallel", "modulated"), {}),
    ),
    "a change of a weight has no dropout": (
        (("attn", "low_rank", "parallel", "magnitude_direction"), {"dropout": 0.1}),
        (("attn", "low_rank", "parallel", "magnitude_direction"), {"dropout": 0.0}),
    ),
    "the scale of a direction is a positive number": (
        (("attn", "low_rank", "parallel", "magnitude_direction"), {"scale": -1.0}),
        (("attn", "low_rank", "parallel", "magnitude_direction"), {"scale": 1.0}),
    ),
    "the scale of a modulation is a positive number": (
        (("attn", "low_rank", "parallel", "modulated"), {"scale": float("inf")}),
        (("attn", "low_rank", "parallel", "modulated"), {"scale": 1.0}),
    ),
}
