"""A prefix initialised from the activations of real tokens: which tokens, and that it starts there."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, BartForConditionalGeneration, PreTrainedModel

from unidelta.deltas.reparam import DirectPrefix, PrefixMLP
from unidelta.design.axes import Init
from unidelta.design.config_facts import known_family
from unidelta.design.count import count
from unidelta.design.rules import check
from unidelta.design.spec import Deltas
from unidelta.hosts.site import Site
from unidelta.injection.activations import activations
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import Activations, inject
from unidelta.injection.injection import Injection

FAMILIES = ("bart", "mbart", "roberta")
LENGTH = 6  # of the designs in conftest
N_SOURCE, N_TARGET = 5 * 7 - 3, 5 * 6 - 4  # real tokens of the batch below


@pytest.fixture
def padded(batch) -> Callable[[str], dict[str, Tensor]]:
    """Sources with padding in the second row, targets with ignored labels in the third and the fifth."""

    def make(family: str) -> dict[str, Tensor]:
        inputs = batch(family, padded=True)
        if family != "roberta":
            inputs["labels"][2, 3:] = -100
            inputs["labels"][4, 5:] = -100
        return inputs

    return make


@pytest.fixture
def started(tiny, design, padded) -> Callable[..., tuple[Injection, Activations]]:
    """A tiny model with a design whose prefix starts from activations, and those."""

    def make(name: str, family: str) -> tuple[Injection, Activations]:
        model, chosen = tiny(family), from_activations(design(name, family))
        start = activations(model, padded(family), length=LENGTH, generator=seeded())
        return inject(model, chosen, generator=seeded(), start=start), start

    return make


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def from_activations(design: Deltas) -> Deltas:
    first, *others = design.parts
    return replace(design, parts=(replace(first, init=Init.ACTIVATIONS), *others))


def by_hand(model: PreTrainedModel, inputs: dict[str, Tensor]) -> dict[tuple[str, int], tuple[Tensor, Tensor]]:
    """Keys and values `(B, S, D)` of every attention, from the hidden states that the stock model reports."""
    out = model(**inputs, output_hidden_states=True)
    if model.config.model_type == "roberta":
        layers = [layer.attention.self for layer in model.roberta.encoder.layer]
        read = zip(layers, out.hidden_states, strict=False)
        return {("encoder_self", i): (own.key(x), own.value(x)) for i, (own, x) in enumerate(read)}
    is_pre_norm = model.config.model_type == "mbart"
    found = {}
    stacks = {"encoder": model.model.encoder, "decoder": model.model.decoder}
    for side, stack in stacks.items():
        for i, (layer, x) in enumerate(zip(stack.layers, out[f"{side}_hidden_states"], strict=False)):
            x = layer.self_attn_layer_norm(x) if is_pre_norm else x
            found[f"{side}_self", i] = (layer.self_attn.k_proj(x), layer.self_attn.v_proj(x))
    for i, layer in enumerate(stacks["decoder"].layers):
        memory = out.encoder_last_hidden_state
        found["decoder_cross", i] = (layer.encoder_attn.k_proj(memory), layer.encoder_attn.v_proj(memory))
    return found


def places(kind: str, start: Activations, expected: dict) -> list[int]:
    """Which tokens of the flattened batch an attention's vectors are of, told from the deepest layer's keys."""
    deepest = max(layer for k, layer in expected if k == kind)
    candidates = expected[kind, deepest][0].flatten(0, 1)
    exact = "donot_use_mm_for_euclid_dist"
    distance, index = torch.cdist(start[kind, deepest][0], candidates, compute_mode=exact).min(dim=1)
    assert distance.max() < 1e-4
    return index.tolist()


def real(kind: str, inputs: dict[str, Tensor]) -> set[int]:
    is_token = inputs["labels"] != -100 if kind == "decoder_self" else inputs["attention_mask"] == 1
    return set(is_token.flatten().nonzero().flatten().tolist())


def prefixes(injection: Injection) -> dict[tuple[str, int], tuple[Tensor, Tensor]]:
    """P_k, P_v as they are in the model."""
    return {
        (site.kind, site.layer): site.hosts["heads"].module.deltas["heads"].form.prefix()
        for site in attentions(injection)
    }


def attentions(injection: Injection) -> list[Site]:
    family = known_family(injection.model.config.model_type)
    return [site for site in family.hosts(injection.model) if "query" in site.linears]


def assert_equal(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    assert all(a.equal(b) for key in expected for a, b in zip(found[key], expected[key], strict=True))


@pytest.mark.parametrize("length", [LENGTH, 70])
@pytest.mark.parametrize("family", FAMILIES)
def test_activations_are_every_layers_keys_and_values_of_the_same_real_tokens(tiny, padded, family, length):
    model, inputs = tiny(family), padded(family)
    start = activations(model, inputs, length=length, generator=seeded())
    expected = by_hand(model, inputs)
    assert start.keys() == expected.keys()
    assert len(start) == (2 if family == "roberta" else 2 + 3 + 3)
    for kind in {kind for kind, _ in start}:
        chosen = places(kind, start, expected)
        assert set(chosen) <= real(kind, inputs)
        for key in (key for key in start if key[0] == kind):
            for found, all_tokens in zip(start[key], expected[key], strict=True):
                assert found.shape == (length, 12) and not found.requires_grad
                torch.testing.assert_close(found, all_tokens.flatten(0, 1)[chosen])


@pytest.mark.parametrize("length", [N_TARGET, N_SOURCE, 3 * N_SOURCE])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_token_is_used_again_only_when_all_were_used(tiny, padded, family, length):
    model, inputs = tiny(family), padded(family)
    start = activations(model, inputs, length=length, generator=seeded())
    for kind in {kind for kind, _ in start}:
        chosen = places(kind, start, by_hand(model, inputs))
        uses = [chosen.count(place) for place in sorted(real(kind, inputs))]
        assert len(uses) == (N_TARGET if kind == "decoder_self" else N_SOURCE)
        assert sum(uses) == length and max(uses) - min(uses) <= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_picks_the_tokens(tiny, padded, family):
    first, same, other = (
        activations(tiny(family), padded(family), length=LENGTH, generator=seeded(seed)) for seed in (1, 1, 2)
    )
    assert_equal(first, same)
    assert not any(first[key][0].equal(other[key][0]) for key in first)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_model_is_left_as_it_was_and_its_dropout_does_not_act(tiny, padded, family, is_training):
    model = tiny(family, dropout=0.5).train(is_training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start = activations(model, padded(family), length=LENGTH, generator=seeded())
    assert_equal(start, activations(tiny(family), padded(family), length=LENGTH, generator=seeded()))
    assert {module.training for module in model.modules()} == {is_training}
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())


def test_a_batch_that_fails_leaves_neither_hooks_nor_eval_mode(tiny, padded):
    model, inputs = tiny("bart").train(), padded("bart")
    inputs["input_ids"][0, 0] = 41  # one more than there are
    with pytest.raises(IndexError):
        activations(model, inputs, length=LENGTH, generator=seeded())
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["prefix_direct", "prefix", "mam"])
def test_a_prefix_starts_where_it_is_told_and_stays_there_when_folded(started, batch, name, family):
    injection, start = started(name, family)
    assert_equal(prefixes(injection), start)
    assert_equal(stored(injection), start)
    logits = injection.model(**batch(family)).logits
    injection.fold()
    assert_equal(prefixes(injection), start)
    assert injection.model(**batch(family)).logits.equal(logits)


def stored(injection: Injection) -> dict[tuple[str, int], tuple[Tensor, Tensor]]:
    """P_k, P_v as they are kept for inference."""
    state, names = injection.stored_state(), {module: name for name, module in injection.model.named_modules()}
    return {
        (site.kind, site.layer): tuple(
            state[f"{names[site.hosts['heads'].module]}.deltas.heads.form.prefix.{role}"] for role in ("key", "value")
        )
        for site in attentions(injection)
    }


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["prefix_direct", "prefix"])
def test_what_starts_from_activations_trains_as_much_as_what_does_not_and_moves(started, injected, batch, name, family):
    injection, start = started(name, family)
    assert injection.trained == injected(name, family).trained
    assert injection.n_trained == injected(name, family).n_trained
    injection.model(**batch(family)).loss.backward()
    ends = ("prefix.key", "prefix.value") if name == "prefix_direct" else ("output.weight", "output.bias")
    moved = [p for key, p in injection.model.named_parameters() if key in injection.trained and key.endswith(ends)]
    assert len(moved) == 2 * (len(start) if name == "prefix_direct" else len({kind for kind, _ in start}))
    assert all(parameter.grad.abs().max() > 0 for parameter in moved)
    given = {key: tuple(vectors.clone() for vectors in pair) for key, pair in start.items()}
    for parameter in moved:
        parameter.data -= 0.1 * parameter.grad
    assert not any(now[1].equal(start[key][1]) for key, now in prefixes(injection).items())
    assert_equal(start, given)  # what was given is not what is trained


@pytest.mark.parametrize("name", ["prefix_direct", "prefix"])
def test_only_a_prefix_that_asks_for_it_starts_from_activations(tiny, design, injected, padded, name):
    model = tiny("bart")
    start = activations(model, padded("bart"), length=LENGTH, generator=seeded())
    injection = inject(model, design(name, "bart"), generator=seeded(2), start=start)
    state = injection.model.state_dict()
    expected = injected(name, "bart", stirred=False).model.state_dict()
    assert state.keys() == expected.keys()
    assert all(state[key].equal(tensor) for key, tensor in expected.items())


@pytest.mark.parametrize("name", ["prefix_direct", "prefix"])
def test_a_start_that_is_missing_is_an_error(tiny, design, name):
    with pytest.raises(ValueError, match="needs them"):
        inject(tiny("bart"), from_activations(design(name, "bart")), generator=seeded())


@pytest.mark.parametrize("family", ["bart", "roberta"])
@pytest.mark.parametrize("name", ["prefix_direct", "prefix"])
def test_on_the_meta_device_a_start_may_be_left_out(tiny, design, name, family):
    config = tiny(family).config
    with torch.device("meta"):
        if family == "bart":
            model = BartForConditionalGeneration(config)
        else:
            model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**config.to_dict()))
    chosen = from_activations(design(name, family))
    injection = inject(model, chosen, generator=seeded())
    expected = count(chosen, architecture_of(config, name="tiny"))
    assert (injection.n_trained, injection.n_stored) == (expected.trained, expected.stored)
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_direct_vectors_are_a_copy_of_the_given_ones():
    given = (torch.randn(4, 6, generator=seeded()), torch.randn(4, 6, generator=seeded(1)))
    prefix = DirectPrefix(*given)
    for parameter, vectors in zip((prefix.key, prefix.value), given, strict=True):
        assert parameter.equal(vectors) and parameter.requires_grad
        assert parameter.data_ptr() != vectors.data_ptr()


@pytest.mark.parametrize("layer", range(3))
def test_the_network_adds_its_output_to_the_given_vectors(layer):
    rows = torch.randn(4, 2 * 3 * 6, generator=seeded(7))
    widths = dict.fromkeys(range(3), (6, 6))
    plain, given = (PrefixMLP(4, 6, 5, widths, dropout=0.0, generator=seeded(), start=s) for s in (None, rows))
    expected = rows.reshape(4, 6, 6)[:, 2 * layer : 2 * layer + 2]
    assert torch.stack(given(layer), dim=1).equal(expected)
    given.output.load_state_dict(plain.output.state_dict())  # the rest is drawn alike
    both = torch.stack(plain(layer), dim=1) + expected
    torch.testing.assert_close(torch.stack(given(layer), dim=1), both, rtol=0, atol=1e-6)
    assert "start" not in dict(given.named_parameters())


REFUSED = [
    ("parallel_ffn", Init.ACTIVATIONS),
    ("adapter_attn", Init.ACTIVATIONS),
    ("lora_attn", Init.ACTIVATIONS),
    ("multihead_direct", Init.ACTIVATIONS),
    ("prefix", Init.LORA),
    ("multihead", Init.LORA),
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("name", "init"), REFUSED)
def test_an_initialisation_of_another_form_is_refused(tiny, design, name, init, family):
    (error,) = check(design(name, family, init=init), architecture_of(tiny(family).config, name="tiny"))
    assert error.why.startswith(
        "`bert` and `lora` initialise the projections of adapters and LoRA; `bert` and `activations`"
    )
    assert error.instead == "init=null for this slot"
    assert check(design(name, family), architecture_of(tiny(family).config, name="tiny")) == []


@pytest.mark.parametrize("name", ["prefix", "prefix_direct", "prefix_additive", "mam"])
def test_any_prefix_may_start_from_activations(tiny, design, name):
    assert check(from_activations(design(name, "bart")), architecture_of(tiny("bart").config, name="tiny")) == []
