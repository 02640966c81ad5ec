"""Deltas take the model's dtype and device; float64 and bfloat16 work, plain and under autocast."""

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

import unidelta
from unidelta.errors import DesignError
from unidelta.extensions.folders import config_names
from unidelta.injection.inject import inject

NAMES = (
    "prefix prefix_gated_norm prefix_additive multihead houlsby pfeiffer parallel_both parallel_ffn_norm_out "
    "learned_scale_ffn lora_attn mam prompt"
).split()
SIZELESS = ("bitfit", "ia3", "ssf")
CASES = [(name, family) for name in NAMES for family in ("bart", "roberta") if (name, family) != ("prompt", "roberta")]
CASES += [("mam", "mbart"), ("parallel_both", "mbart"), ("mam", "bert")]


@pytest.mark.parametrize(("name", "family"), CASES)
def test_deltas_take_the_dtype_of_the_model_and_run_in_it(tiny, design, injected, batch, name, family):
    inputs = batch(family, padded=True)
    single = injected(name, family, stirred=False).model(**inputs)
    for dtype, tolerance in ((torch.float64, 1e-4), (torch.bfloat16, 0.3)):
        model = tiny(family).to(dtype)
        injection = inject(model, design(name, family), generator=torch.Generator().manual_seed(2))
        assert {p.dtype for p in model.parameters()} == {dtype}
        output = model(**inputs)
        assert output.logits.dtype == dtype
        torch.testing.assert_close(output.logits.float(), single.logits, rtol=0, atol=tolerance)
        output.loss.backward()
        parameters = dict(model.named_parameters())
        assert all(torch.isfinite(parameters[key].grad).all() for key in injection.trained)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", sorted({*config_names("method")} - {"full", "frozen", "prompt"}))
def test_every_method_trains_and_merges_in_half_the_precision(tiny, batch, method, dtype):
    """Some kernels of torch.linalg exist for float32 alone."""
    model = tiny("roberta").to(dtype)
    injection = unidelta.inject(model, method, budget=4 if method not in SIZELESS else None)
    output = model(**batch("roberta", padded=True))
    output.loss.backward()
    assert output.logits.dtype == dtype and output.logits.isfinite().all()
    assert all(parameter.grad.isfinite().all() for _, parameter in injection.trained_parameters())
    try:
        injection.merge()
    except DesignError as error:
        assert "not a change of weights" in str(error)
    else:
        merged = model(**batch("roberta", padded=True)).logits
        torch.testing.assert_close(merged, output.logits, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("name", "family"), CASES[::3])
def test_bfloat16_autocast_keeps_float32_parameters(injected, batch, name, family, attention):
    injection = injected(name, family, attention=attention)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = injection.model(**batch(family, padded=True))
    output.loss.backward()
    parameters = dict(injection.model.named_parameters())
    assert all(parameters[key].grad.dtype == torch.float32 for key in injection.trained)
    plain = injection.model(**batch(family, padded=True)).logits
    assert (output.logits.float() - plain).abs().max() < 0.05 * plain.abs().max() + 0.2


def test_on_the_meta_device_nothing_is_allocated(design):
    for name in ("mam", "houlsby", "prompt", "lora_attn", "learned_scale_ffn"):
        with torch.device("meta"):
            model = BartForConditionalGeneration(BartConfig())
        injection = inject(model, design(name, "bart"), generator=torch.Generator())
        assert {p.device.type for p in model.parameters()} == {"meta"}
        assert injection.n_trained > 0
