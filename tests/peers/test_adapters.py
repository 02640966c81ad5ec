"""What adapters computes, from the same weights: logits, loss and gradients (files made by make_adapters.py)."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from unidelta.deltas.linear_algebra import orthonormal_rows
from unidelta.design.methods import Axes, request_of
from unidelta.design.resolve import resolve_design
from unidelta.design.spec import Deltas
from unidelta.fast.switch import speed_up
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection

from .golden import TOLERANCE, Golden

CLOSE = {"rtol": 0, "atol": TOLERANCE}
Change = Callable[[Tensor], Tensor]


def same(tensor: Tensor) -> Tensor:
    return tensor


REFT = {
    "reft_layer.refts.x.units.0.learned_source.": ("layer.form.source.", same),
    "reft_layer.refts.x.units.0.rows": ("layer.form.basis", same),
}
MAPS = "output_adapters.adapters.x.adapter_"
NAMES: dict[str, dict[str, tuple[str, Change]]] = {
    "compacter": {
        # theirs multiply from the right, so a sum of products is ours transposed; and of A ⊗ s tᵀ theirs has t left
        f"{MAPS}down.0.W_left": ("sublayer.form.generated.down_right", lambda t: t[:, :, 0]),
        f"{MAPS}down.0.W_right": ("sublayer.form.generated.down_left", lambda t: t[:, 0]),
        f"{MAPS}up.W_left": ("sublayer.form.generated.up_right", lambda t: t[:, :, 0]),
        f"{MAPS}up.W_right": ("sublayer.form.generated.up_left", lambda t: t[:, 0]),
        f"{MAPS}down.0.b": ("sublayer.form.down_bias", same),
        f"{MAPS}up.b": ("sublayer.form.up_bias", same),
        "shared_parameters.x.phm_rule": ("shared_ffn_sublayer.factors", lambda t: t.mT),
    },
    "loreft": REFT,
    "loreft_layer": REFT,
    "loreft_ends": REFT,
    "unipelt": {
        f"{MAPS}down.0.": ("sublayer.form.down.", same),
        f"{MAPS}up.": ("sublayer.form.up.", same),
        "output_adapters.adapters.x.gate.": ("sublayer.compose.", same),
        "loras.x.lora_A": ("linear.form.down", same),
        "loras.x.lora_B": ("linear.form.up", same),
        "loras.x.gate.": ("linear.compose.", same),
    },
}


def injected(golden: Golden, name: str, *, fast: bool) -> Injection:
    """Our model of the same method, without UniPELT's prefix and Compacter's adapters at attention."""
    own: dict[str, Axes] = {"loreft_layer": {"layers": "1"}, "loreft_ends": {"tokens": "first:1+last:2"}}
    axes: Axes = own.get(name, {})
    method = name.partition("_")[0]
    if method != "unipelt":
        axes |= {"position": "ffn", "budget": {"loreft": 3, "compacter": 4}[method]}
    request, model = request_of(method, axes), golden.model()
    if method == "compacter":
        slot = replace(request.method.ffn, options={"terms": 2})
        request = replace(request, method=replace(request.method, ffn=slot))
    architecture = architecture_of(model.config, name="tiny")
    design, problems = resolve_design(request, architecture=architecture, published=architecture)
    assert problems == [] or method == "unipelt"
    if method == "unipelt":
        _, lora, adapter = design.parts
        design = Deltas(parts=(replace(lora, bottleneck=2), replace(adapter, bottleneck=4)))
    injection = inject(model, design, generator=torch.Generator().manual_seed(0))
    if fast:
        speed_up(injection)
    return injection


def ours_of(theirs: str, name: str) -> tuple[str, Change]:
    start, (ours, change) = next((start, pair) for start, pair in NAMES[name].items() if start in theirs)
    module, _, end = theirs.partition(start)
    stack = "encoder." if module == "model." else ""
    return f"{module}{stack}deltas.{ours}{end}", change


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_weights_give_the_same_numbers(name, fast):
    golden = Golden(f"adapters_{name}")
    deltas = injected(golden, name, fast=fast)
    parameters = dict(deltas.trained_parameters())
    names = {theirs: ours_of(theirs, name) for theirs in golden.of("tuned")}
    assert {ours for ours, _ in names.values()} == set(parameters)
    for theirs, (ours, change) in names.items():
        assert parameters[ours].shape == change(golden.of("tuned")[theirs]).shape
        parameters[ours].data = change(golden.of("tuned")[theirs]).clone()
    assert deltas.n_trained == deltas.counts().trained == sum(t.numel() for t in golden.of("tuned").values())
    inputs = golden.of("batch")
    is_decoder, real = name == "loreft_ends", inputs["attention_mask"].bool()
    output = deltas.model(**inputs, **({"source_mask": inputs["attention_mask"]} if is_decoder else {}))
    output.loss.backward()
    compared = real if is_decoder else ...  # what padding computes differs between versions of transformers
    torch.testing.assert_close(output.logits[compared], golden.tensors["logits"][compared], **CLOSE)
    torch.testing.assert_close(output.loss, golden.tensors["loss"], **CLOSE)
    for theirs, (ours, change) in names.items():
        gradient = change(golden.of("gradient")[theirs])
        if ours.endswith("basis"):  # theirs is of R; ours of the free matrix whose orthonormal rows R is
            _, gradient = torch.autograd.functional.vjp(orthonormal_rows, golden.of("tuned")[theirs], gradient)
        torch.testing.assert_close(parameters[ours].grad, gradient, **CLOSE)


def test_a_gate_of_theirs_sees_the_future_and_ours_does_not():
    """UniPELT's gates in adapters are means over all tokens; ours is each token's own."""
    golden = Golden("adapters_unipelt")
    assert golden.tensors["leak"] > 0.01, "a later target token changed the logits of the first"
    deltas = injected(golden, "unipelt", fast=True)
    generator = torch.Generator().manual_seed(3)
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator)
    whole = Golden("dora_bart").of("batch")
    later = whole["labels"].clone()
    later[:, -2] = 3 + (later[:, -2] - 2) % 20
    first, second = (deltas.model(**{**whole, "labels": labels}).logits[:, :3] for labels in (whole["labels"], later))
    torch.testing.assert_close(first, second, **CLOSE)


def test_the_files_say_what_made_them_and_show_an_effect():
    for name in NAMES:
        golden = Golden(f"adapters_{name}")
        assert json.loads(golden.metadata["packages"])["adapters"] == "1.3.0"
        plain = golden.model()(**golden.of("batch")).logits
        assert (plain - golden.tensors["logits"]).abs().max() > 0.01
