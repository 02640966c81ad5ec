"""An injected model is an ordinary model: it deepcopies, checkpoints its activations and follows train/eval."""

from copy import deepcopy
from itertools import product

import pytest
import torch

import unidelta
from unidelta.errors import DesignError
from unidelta.injection.inject import inject
from unidelta.training.recomputing import checkpointing_method

NAMES = (
    "prefix prefix_gated_norm prefix_additive multihead houlsby pfeiffer parallel_both lora_attn prefix_lora"
).split()
FAMILIES = ("bart", "mbart", "roberta", "bert")
PROMPTS = [("prompt", "bart"), ("prompt", "mbart")]
CASES = [(name, family) for name in NAMES for family in ("bart", "roberta")] + PROMPTS
CASES += [
    ("prefix_lora", "mbart"),
    ("parallel_both", "mbart"),
    ("parallel_both", "bert"),
    ("mam", "t5"),
    ("mam", "modernbert"),
]
# their hosts know other modules: the norm before an FFN, the rotation of keys, one map of three roles
CASES += [("parallel_ffn_stream", "llama"), ("prefix_rotated", "llama"), ("prefix_in_front", "gpt2"), ("ia3", "gpt2")]


def losses_and_gradients(model, inputs: dict) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(8)
    model.zero_grad()
    loss = model(**inputs).loss
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_deep_copy_computes_the_same_and_shares_nothing(injected, batch, name, family):
    model = injected(name, family).model
    inputs = batch(family, padded=True)
    copy = deepcopy(model)
    assert [key for key, _ in copy.named_parameters()] == [key for key, _ in model.named_parameters()]
    before = model(**inputs).logits
    assert copy(**inputs).logits.equal(before)
    ours, theirs = losses_and_gradients(model, inputs), losses_and_gradients(copy, inputs)
    assert ours[1].keys() == theirs[1].keys()
    for parameter in copy.parameters():
        if parameter.requires_grad:
            parameter.data += 0.5
    assert not copy(**inputs).logits.equal(before)
    assert model(**inputs).logits.equal(before)


@pytest.mark.parametrize(
    ("name", "family"), [("mam", "gpt2"), ("prompt", "bart"), ("ia3", "llama"), ("bitfit", "bert")]
)
def test_a_copy_made_while_deltas_are_disabled_is_a_stock_model(tiny, injected, batch, name, family):
    injection, inputs = injected(name, family), batch(family)
    after = injection.model(**inputs).logits
    with injection.disabled():
        expected = injection.model(**inputs).logits
        copy = deepcopy(injection.model)
        assert unidelta.deltas_of(injection.model) is injection
    assert copy(**inputs).logits.equal(expected) and injection.model(**inputs).logits.equal(after)
    assert [type(module) for module in copy.modules()] == [type(module) for module in tiny(family).modules()]
    assert not {"save_pretrained", "set_attn_implementation"} & vars(copy).keys()
    assert {"save_pretrained"} <= vars(injection.model).keys(), "what guards the model is back"
    with pytest.raises(DesignError, match="this model has none"):
        unidelta.deltas_of(copy)
    deltas = unidelta.inject(copy, "adapter")
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.1
    assert not copy(**inputs).logits.equal(expected) and injection.model(**inputs).logits.equal(after)
    deltas.remove()
    assert copy(**inputs).logits.equal(expected)
    twin = deepcopy(injection.model)  # and what is copied after it has its deltas and their handle
    assert unidelta.deltas_of(twin).model is twin and twin(**inputs).logits.equal(after)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("mam", "bart"),
        ("mam", "roberta"),
        ("pfeiffer", "bart"),
        ("pfeiffer", "bert"),
        ("prompt", "bart"),
        ("prompt", "mbart"),
    ],
)
def test_a_deep_copy_still_reports_hidden_states(injected, batch, name, family):
    model = injected(name, family).model
    key = "encoder_hidden_states" if family in ("bart", "mbart") else "hidden_states"
    ours = model(**batch(family), output_hidden_states=True)[key]
    copies = deepcopy(injected(name, family).model)(**batch(family), output_hidden_states=True)[key]
    assert copies is not None
    assert all(a.equal(b) for a, b in zip(ours, copies, strict=True))


@pytest.mark.parametrize(
    ("name", "family"), [case for case in CASES if case[1] in ("bart", "roberta", "t5", "modernbert")]
)
def test_gradient_checkpointing_changes_no_loss_and_no_gradient(injected, batch, name, family):
    inputs = batch(family, padded=True)
    loss, gradients = losses_and_gradients(injected(name, family, dropout=0.2).model.train(), inputs)
    for is_reentrant in (True, False):
        model = injected(name, family, dropout=0.2).model.train()
        checkpointing_method(model, "checkpointing_enable")({"use_reentrant": is_reentrant})
        model.enable_input_require_grads()
        assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
        other_loss, other_gradients = losses_and_gradients(model, inputs)
        assert other_loss.equal(loss)
        assert other_gradients.keys() == gradients.keys()
        for key, gradient in gradients.items():
            torch.testing.assert_close(other_gradients[key], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "family", "dropout"),  # of the host; beside padded keys, `fast` draws attention's own otherwise
    [("prefix", "bart", 0), ("multihead", "mbart", 0.2), ("prefix_gated_norm", "roberta", 0.2), ("mam", "llama", 0)],
)
def test_a_prefix_drops_the_same_elements_in_whichever_way_its_network_runs(injected, batch, name, family, dropout):
    inputs, found = batch(family, padded=True), []
    for is_fast, is_checkpointed in product((True, False), repeat=2):
        model = injected(name, family, dropout=dropout, prefix_dropout=0.4, fast=is_fast).model.train()
        if is_checkpointed:
            checkpointing_method(model, "checkpointing_enable")({"use_reentrant": False})
        found.append(losses_and_gradients(model, inputs))
    kept = injected(name, family, dropout=dropout).model.train()
    assert not losses_and_gradients(kept, inputs)[0].isclose(found[0][0])
    for loss, gradients in found[1:]:
        torch.testing.assert_close(loss, found[0][0], rtol=1e-5, atol=1e-6)
        for key, gradient in gradients.items():
            torch.testing.assert_close(gradient, found[0][1][key], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("is_training", [True, False])
def test_new_modules_follow_the_mode_of_the_model(tiny, design, family, is_training):
    model = tiny(family).train(is_training)
    inject(model, design("mam", family), generator=torch.Generator())
    assert {module.training for module in model.modules()} == {is_training}


@pytest.mark.parametrize("family", FAMILIES)
def test_injection_draws_from_its_generator_and_never_from_the_global_one(tiny, design, family):
    def deltas(name: str, seed: int) -> list[torch.Tensor]:
        before = torch.get_rng_state()
        injection = inject(tiny(family), design(name, family), generator=torch.Generator().manual_seed(seed))
        assert torch.equal(before, torch.get_rng_state())
        return [p.detach() for p in injection.model.parameters() if p.requires_grad]

    for name in ("mam", "prefix_direct", "houlsby", "lora_attn"):
        one, same, other = deltas(name, 0), deltas(name, 0), deltas(name, 1)
        assert all(a.equal(b) for a, b in zip(one, same, strict=True))
        assert not all(a.equal(b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_two_models_made_from_one_configuration_can_both_have_heads_changed(tiny, design, family):
    first = tiny(family)
    second = type(first)(first.config)
    for model in (first, second):
        inject(model, design("prefix", family), generator=torch.Generator())
