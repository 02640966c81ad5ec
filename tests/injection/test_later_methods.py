"""Later methods against their formulas, and what the design space says: zero start, merging, layers, storage."""

import shlex
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedModel

import unidelta
from unidelta.config.groups import options
from unidelta.config.later_methods import CROSSED, facts
from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.describe import merges, starts_at_zero
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.design.resolve import resolve_design
from unidelta.errors import DesignError, Problems
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection

from ..composed import composed

LATER = ("ia3 ssf dora rslora pissa vera miss hira oft hra llama_adapter unipelt loreft compacter loha lokr").split()
CLOSE = {"rtol": 0, "atol": 1e-12}


def stirred(deltas: Injection) -> Injection:
    generator = torch.Generator().manual_seed(3)
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return deltas


def put(tiny, family: str, method: str, **axes) -> Injection:
    return unidelta.inject(tiny(family).double(), method, seed=0, **axes)


@pytest.mark.parametrize("family", ["bart", "gpt2", "modernbert"])
@pytest.mark.parametrize("method", LATER)
def test_a_method_is_what_the_design_space_says(tiny, batch, method, family, tmp_path):
    inputs, stock = batch(family), tiny(family).double()
    deltas = put(tiny, family, method)
    counts = deltas.counts()
    assert (deltas.n_trained, deltas.n_stored) == (counts.trained, counts.stored)
    distance = (deltas.model(**inputs).logits - stock(**inputs).logits).abs().max()
    tolerance = max(FORMS[part.form].zero_tolerance for part in deltas.design.parts)
    assert bool(distance <= tolerance) is all(map(starts_at_zero, deltas.design.parts))
    stirred(deltas)
    output = deltas.model(**inputs)
    output.loss.backward()
    assert all(parameter.grad is not None for _, parameter in deltas.trained_parameters())
    deltas.save(tmp_path)
    loaded = unidelta.load(tmp_path, tiny(family).double())
    assert (loaded(**inputs).logits - output.logits).abs().max() <= 1e-10
    if all(map(merges, deltas.design.parts)) and not (method == "ssf" and family == "modernbert"):
        before = deepcopy(deltas.model.state_dict())
        deltas.merge()
        assert not any(isinstance(module, Delta | WeightDelta) for module in deltas.model.modules())
        torch.testing.assert_close(deltas.model(**inputs).logits, output.logits, rtol=0, atol=1e-10)
        deltas.unmerge()
        assert all(tensor.equal(before[key]) for key, tensor in deltas.model.state_dict().items())
    elif not any(map(merges, deltas.design.parts)) or method == "ssf":
        with pytest.raises(DesignError, match="not a change of weights"):
            deltas.merge()


@pytest.mark.parametrize("method", LATER)
def test_a_cached_generation_is_teacher_forcing(tiny, batch, method):
    deltas = stirred(put(tiny, "llama", method))
    inputs = {key: batch("llama")[key] for key in ("input_ids", "attention_mask")}
    found = deltas.model.generate(
        **inputs, max_new_tokens=4, min_new_tokens=4, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    forced = deltas.model(input_ids=found.sequences[:, :-1]).logits[:, -4:]
    assert (torch.stack(found.logits, dim=1) - forced).abs().max() < 1e-5  # `generate` returns float32


def test_ssf_is_a_factor_and_a_shift_of_every_map(tiny, batch):
    deltas = stirred(put(tiny, "bart", "ssf"))
    model: PreTrainedModel = tiny("bart").double()
    parameters = dict(deltas.trained_parameters())
    for name in {key.partition(".deltas.")[0] for key in parameters}:
        linear = model.get_submodule(name)
        factors, shift = (parameters[f"{name}.deltas.linear.form.{key}"] for key in ("factors", "shift"))
        linear.weight.data, linear.bias.data = linear.weight * factors[:, None], linear.bias * factors + shift
    torch.testing.assert_close(deltas.model(**batch("bart")).logits, model(**batch("bart")).logits, rtol=0, atol=1e-11)


def test_dora_leaves_a_row_of_zeros_as_it_is(tiny, batch):
    """m / ‖W‖ would be 0 / 0, in a pruned backbone for instance."""
    model, inputs = tiny("roberta"), batch("roberta", padded=True)
    for name, parameter in model.named_parameters():
        if name.endswith("query.weight"):
            parameter.data[3] = 0
    before = model(**inputs).logits
    deltas = unidelta.inject(model, "dora", budget=2)
    torch.testing.assert_close(model(**inputs).logits, before)
    deltas.merge()
    torch.testing.assert_close(model(**inputs).logits, before)


def test_a_gate_of_heads_reads_the_input_of_attention(tiny, batch):
    """UniPELT's prefix: h + σ(w·x + b) softmax(q P_kᵀ) P_v for every head, by hand in one attention."""
    deltas = stirred(put(tiny, "roberta", "unipelt", position="attn"))
    attention = deltas.model.roberta.encoder.layer[0].attention.self
    heads = attention.deltas["heads"]
    seen = {}
    attention.register_forward_pre_hook(lambda _, args, kwargs: seen.update(x=args[0]), with_kwargs=True)
    attention.register_forward_hook(lambda _, args, output: seen.update(output=output[0]))
    deltas.model.eval()(**batch("roberta"))
    x = seen["x"]
    split = lambda t: t.unflatten(-1, (heads.form.n_heads, -1)).transpose(1, 2)  # noqa: E731
    query, key, value = (split(getattr(attention, name)(x)) for name in ("query", "key", "value"))
    scale = query.shape[-1] ** -0.5
    h = (query @ key.mT * scale).softmax(-1) @ value
    p_key, p_value = heads.form.keys_values()
    gate = torch.sigmoid(x @ heads.compose.weight[0] + heads.compose.bias)[:, None, :, None]
    expected = h + gate * ((query @ p_key.mT * scale).softmax(-1) @ p_value)
    torch.testing.assert_close(seen["output"], expected.transpose(1, 2).flatten(2), **CLOSE)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2"])
def test_projected_vectors_are_what_tokens_of_that_input_would_be(tiny, family):
    deltas = stirred(put(tiny, family, "llama_adapter", budget=3))
    attention = deltas.model.transformer.h[1].attn if family == "gpt2" else deltas.model.model.layers[1].self_attn
    prefix = attention.deltas["heads"].form.prefix
    if family == "gpt2":
        _, key, value = attention.c_attn(prefix.vectors).chunk(3, dim=-1)
    else:
        key, value = attention.k_proj(prefix.vectors), attention.v_proj(prefix.vectors)
    if family == "qwen3":
        key = attention.k_norm(key.unflatten(-1, (-1, attention.head_dim))).flatten(-2)
    for found, expected in zip(prefix(), (key, value), strict=True):
        torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.parametrize(
    ("layers", "chosen"),
    [("all", (0, 1, 2)), ("first:2", (0, 1)), ("last:1", (2,)), ([0, 2], (0, 2)), ("[2,0]", (0, 2)), ("1", (1,))],
)
@pytest.mark.parametrize("method", ["adapter_pfeiffer", "lora", "prefix", "dora", "vera"])
def test_the_layers_selected_have_the_delta_and_no_others(tiny, batch, method, layers, chosen):
    deltas = put(tiny, "bart", method, layers=layers, budget=2)  # stacks of 2 and 3 layers: `last` is of each
    of_encoder = {"all": {0, 1}, "first:2": {0, 1}, "last:1": {1}}.get(str(layers), {0, 1} & set(chosen))
    expected = {f"encoder.layers.{i}." for i in of_encoder} | {f"decoder.layers.{i}." for i in chosen}
    names = {name.removeprefix("model.") for name in deltas.trained if "prefix_mlp" not in name}
    modules = {
        name.removeprefix("model.") for name, m in deltas.model.named_modules() if isinstance(m, Delta | WeightDelta)
    }
    assert {".".join(name.split(".")[:3]) + "." for name in modules} == expected
    assert all(name.startswith(tuple(expected)) for name in names)
    assert deltas.n_trained == deltas.counts().trained
    deltas.model(**batch("bart")).loss.backward()


@pytest.mark.parametrize("layers", ["first:4", "[0,3]", "some", "first:0", "[1,1]", "-1", ""])
def test_layers_that_are_not_there_or_cannot_be_read_are_refused(tiny, layers):
    with pytest.raises((Problems, DesignError)) as refusal:
        put(tiny, "bart", "adapter", layers=layers)
    assert "layers" in str(refusal.value)


@pytest.mark.parametrize(("what", "words"), CROSSED, ids=[what for what, _ in CROSSED])
def test_a_crossed_cell_is_built_and_trains_or_is_refused(tiny, batch, what, words):
    config = composed(["task=xsum", "scale=paper", *shlex.split(words)])
    architecture = architecture_of(tiny("bart").config, name="tiny")
    design, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
    sized = [replace(p, bottleneck=FORMS[p.form].smallest(p)) if FORMS[p.form].size else p for p in design.parts]
    is_refused = bool([p for p in problems if "larger than" not in p.why and "the rank" not in p.why])
    assert is_refused is any(
        word in what for word in ("around an adapter", "of a rotation", "start of an", "beside", "an adapter at both")
    )
    if is_refused:
        return
    injection = inject(tiny("bart").double(), replace(design, parts=tuple(sized)), generator=torch.Generator())
    injection.model(**batch("bart")).loss.backward()
    assert all(parameter.grad is not None for _, parameter in injection.trained_parameters())


def test_frozen_maps_are_those_of_the_seed_and_nothing_stores_them(tiny):
    first, second = (put(tiny, "bart", "vera", budget=4) for _ in range(2))
    other = put(tiny, "bart", "vera", budget=4)
    for deltas in (first, second):
        assert not any("shared" in name for name in deltas.stored_state())
    shared = [m for m in first.model.modules() if type(m).__name__ == "SharedMaps"]
    again = [m for m in other.model.modules() if type(m).__name__ == "SharedMaps"]
    assert len(shared) == 1 and shared[0].a.equal(again[0].a) and shared[0].b.equal(again[0].b)
    generator = torch.Generator().manual_seed(0)
    expected = torch.nn.init.kaiming_uniform_(torch.empty(shared[0].a.shape), generator=generator)
    assert shared[0].a.equal(expected.double())


def test_every_later_method_is_in_the_tests_above():
    assert {name for name in options("method") if facts(name)} == set(LATER)
    assert set(FAMILIES) >= {"bart", "llama", "roberta"}
