"""What people do with a model after `inject`: merge and save, switch attention, unfreeze, convert, split it."""

import copy
from dataclasses import replace

import pytest
import torch
import transformers
from accelerate import dispatch_model
from safetensors.torch import load_file
from transformers import AutoConfig

import unidelta
from unidelta.design.axes import Insertion, LayerNorm
from unidelta.design.family import FAMILIES
from unidelta.errors import BackboneError, DesignError, UserError

SHAKEN = 0.3


def shaken(model) -> None:
    """Deltas that change something, equal for equal models."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for _, parameter in unidelta.deltas_of(model).trained_parameters():
            parameter += SHAKEN * torch.randn(parameter.shape, generator=generator)


def logits(model, inputs) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs).logits


@pytest.mark.parametrize("method", ["lora", "vera", "dora", "oft", "prefix_lora", "bitfit"])
def test_what_is_saved_while_merged_is_what_was_trained(stock, batch, tmp_path, method):
    model, inputs = stock("llama"), batch("llama")
    if method == "bitfit":
        model, inputs = stock("roberta"), batch("roberta")
    deltas = unidelta.inject(model, method, **({} if method == "bitfit" else {"budget": 4}))
    shaken(model)
    deltas.save(tmp_path / "apart")
    if method != "bitfit":
        deltas.merge()
    merged = logits(model, inputs)
    deltas.save(tmp_path / "merged")
    assert torch.equal(logits(model, inputs), merged), "saving changes nothing"
    apart, again = (load_file(tmp_path / folder / "deltas.safetensors") for folder in ("apart", "merged"))
    assert apart and apart.keys() == again.keys() and all(torch.equal(apart[name], again[name]) for name in apart)
    fresh = unidelta.load(tmp_path / "merged", stock(model.config.model_type))
    torch.testing.assert_close(logits(fresh, inputs), merged, rtol=0, atol=1e-4)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("family", ["bart", "roberta", "llama"])
@pytest.mark.parametrize("method", ["prefix", "mam", "multihead_parallel_adapter"])
def test_attention_is_switched_with_its_deltas(stock, batch, method, family, fast):
    if method == "multihead_parallel_adapter" and family == "llama":
        method = "unipelt"
    model, inputs = stock(family), batch(family)
    before = logits(model, inputs)
    deltas = unidelta.inject(model, method, budget=4, fast=fast)
    shaken(model)
    changed = logits(model, inputs)
    assert (changed - before).abs().max() > 1e-3
    for name in ("eager", "sdpa", "eager"):
        model.set_attn_implementation(name)
        torch.testing.assert_close(logits(model, inputs), changed, rtol=1e-4, atol=1e-4)
    with pytest.raises(DesignError, match="set_attn_implementation\\('flex_attention'\\)"):
        model.set_attn_implementation("flex_attention")
    twin = copy.deepcopy(model)
    twin.set_attn_implementation("sdpa")
    torch.testing.assert_close(logits(twin, inputs), changed, rtol=1e-4, atol=1e-4)
    assert model.config._attn_implementation.endswith("eager"), "a copy switches its own"
    deltas.remove()
    assert model.config._attn_implementation == "eager"
    torch.testing.assert_close(logits(model, inputs), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["mam", "parallel_adapter", "lora", "bitfit"])
def test_a_model_made_from_the_configuration_of_one_with_deltas_takes_some_too(stock, batch, method):
    with_deltas, inputs = stock("roberta"), batch("roberta")
    unidelta.inject(with_deltas, "multihead_parallel_adapter", budget=4)
    shaken(with_deltas)
    expected = logits(with_deltas, inputs)
    name = with_deltas.config._attn_implementation
    own = transformers.AutoModelForSequenceClassification.from_config(with_deltas.config)
    shared = type(with_deltas)(with_deltas.config)
    for model in (own.eval(), shared.eval()):
        model.load_state_dict(stock("roberta").state_dict())
        deltas = unidelta.inject(model, method)
        shaken(model)
        assert not torch.allclose(logits(model, inputs), logits(stock("roberta"), inputs))
        with deltas.disabled():
            assert torch.equal(logits(with_deltas, inputs), expected), "what another model has is left alone"
        deltas.remove()
        assert with_deltas.config._attn_implementation == name
        assert torch.equal(logits(with_deltas, inputs), expected)


@pytest.mark.parametrize("method", ["lora", "adapter", "mam", "oft"])
def test_a_model_that_accelerate_split_over_devices_has_its_deltas(stock, batch, method):
    plain, model, inputs = stock("llama"), stock("llama"), batch("llama")
    dispatch_model(model, {"": "cpu"}, force_hooks=True)
    before = logits(plain, inputs)
    for each in (plain, model):
        unidelta.inject(each, method, budget=4)
        shaken(each)
    expected = logits(plain, inputs)
    assert (expected - before).abs().max() > 1e-3
    torch.testing.assert_close(logits(model, inputs), expected)
    model(**inputs).loss.backward()
    assert all(parameter.grad is not None for _, parameter in unidelta.deltas_of(model).trained_parameters())
    unidelta.deltas_of(model).remove()
    torch.testing.assert_close(logits(model, inputs), before)


def test_weights_that_are_not_in_memory_are_refused(stock):
    model = stock("llama")
    model.model.layers[0].mlp.to("meta")
    with pytest.raises(BackboneError, match="weights of 3 modules are not in memory"):
        unidelta.inject(model, "lora")
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_is_unfrozen_later_is_saved_too(stock, batch, tmp_path):
    model, inputs = stock("llama"), batch("llama")
    deltas = unidelta.inject(model, "lora", budget=2)
    model.model.norm.weight.requires_grad_(True)
    shaken(model)
    with torch.no_grad():
        model.model.norm.weight += 1
    deltas.save(tmp_path)
    expected = logits(model, inputs)
    assert torch.equal(logits(unidelta.load(tmp_path, stock("llama")), inputs), expected)
    assert not torch.equal(logits(stock("llama"), inputs), expected)


def test_a_module_of_the_users_own_stays_when_deltas_go(stock, batch):
    model, inputs = stock("llama"), batch("llama")
    before = logits(model, inputs)
    deltas = unidelta.inject(model, "mam", budget=4)
    model.extra = torch.nn.Linear(3, 3)
    shaken(model)
    deltas.remove()
    assert torch.equal(logits(model, inputs), before) and hasattr(model, "extra")
    unidelta.inject(model, "lora")  # nothing is left in the way


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_model_may_be_converted_while_deltas_are_merged_or_disabled(stock, batch, dtype):
    for how in ("merged", "disabled"):
        model, inputs = stock("llama"), batch("llama")
        deltas = unidelta.inject(model, "lora", budget=2)
        shaken(model)
        expected = logits(model, inputs)
        if how == "merged":
            deltas.merge()
            model.to(dtype)
            deltas.unmerge()
        else:
            with deltas.disabled():
                model.to(dtype)
        assert {parameter.dtype for parameter in model.parameters()} == {dtype}
        torch.testing.assert_close(logits(model, inputs).float(), expected, rtol=0.1, atol=0.3)


@pytest.mark.parametrize(
    ("made", "method"),
    [
        *(("BartForCausalLM", "lora"), ("T5EncoderModel", "adapter"), ("T5EncoderModel", "mam")),
        *(("MBartForCausalLM", "prompt"), ("MBartForCausalLM", "bitfit"), ("PegasusForCausalLM", "ia3")),
        *(("MarianForCausalLM", "full"), ("T5ForTokenClassification", "prompt"), ("T5ForTokenClassification", "full")),
    ],
)
def test_a_class_with_a_part_of_the_model_is_refused_and_unchanged(made, method):
    family = getattr(transformers, made).config_class.model_type
    refused_and_unchanged(getattr(transformers, made)(AutoConfig.for_model(family, **FAMILIES[family].tiny)), method)


@pytest.mark.parametrize("method", ["lora", "prompt"])
@pytest.mark.parametrize(("family", "part"), [("bart", "decoder"), ("pegasus", "encoder"), ("t5", "decoder")])
def test_a_stack_alone_is_refused_and_unchanged(stock, family, part, method):
    refused_and_unchanged(stock(family).base_model.get_submodule(part), method)


def refused_and_unchanged(model, method: str) -> None:
    before = [(name, type(module)) for name, module in model.named_modules()]
    trains = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    with pytest.raises(BackboneError, match=f"deltas in a {type(model).__name__}") as refusal:
        unidelta.inject(model, method)
    _, why, instead = str(refusal.value).splitlines()
    assert f"not laid out like the other models of {model.config.model_type}" in why
    assert instead == "Instead:    the whole model, as AutoModel or AutoModelForSeq2SeqLM loads it"
    assert [(name, type(module)) for name, module in model.named_modules()] == before
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == trains
    assert not hasattr(model, "unidelta") and not model.config._attn_implementation.startswith("unidelta")


@pytest.mark.parametrize("method", ["mam", "frozen"])
def test_a_head_that_is_not_known_is_not_silently_left_untrained(method):
    config = AutoConfig.for_model("roberta", **FAMILIES["roberta"].tiny)
    model = transformers.RobertaForQuestionAnswering(config)
    with pytest.raises(DesignError, match='head="trained" in a RobertaForQuestionAnswering'):
        unidelta.inject(model, method, head="trained")
    unidelta.inject(model, "mam", budget=4)


def test_axes_of_a_design_may_be_given_by_name(stock, batch):
    """`dataclasses.replace(part, insertion="parallel")` is the design with `Insertion.PARALLEL`."""
    inputs = batch("bart")
    scored = []
    for insertion, layer_norm in (("parallel", "in"), (Insertion.PARALLEL, LayerNorm.IN), ("sequential", "in")):
        model = stock("bart")
        (part,) = unidelta.design(model, "adapter", budget=4).parts
        changed = replace(part, insertion=insertion, layer_norm=layer_norm, layers=[0])
        unidelta.inject(model, unidelta.design(model, "adapter").__class__(parts=(changed,)))
        shaken(model)
        scored.append(logits(model, inputs))
    assert torch.equal(scored[0], scored[1]) and not torch.equal(scored[0], scored[2])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"insertion": "paralel"}, 'insertion="sequential" or insertion="parallel"'),
        ({"form": "nope"}, "there is no functional form `nope`"),
        ({"composition": "nope"}, "there is no composition `nope`"),
        ({"generator": "nope"}, "there is no generator `nope`"),
        ({"bottleneck": "4"}, "a bottleneck is a whole number"),
        ({"layers": slice(0, 1)}, "not a choice of layers"),
    ],
)
def test_a_value_that_a_design_cannot_have_is_refused_with_those_it_can(stock, changes, words):
    model = stock("bart")
    design = unidelta.design(model, "adapter")
    with pytest.raises(UserError, match=words):
        unidelta.inject(model, replace(design, parts=(replace(design.parts[0], **changes),)))
    assert all(parameter.requires_grad for parameter in model.parameters())
