"""`unidelta.inject` in a user's own loop: it trains only the deltas, and removes them bit for bit."""

import pickle
from copy import deepcopy
from itertools import product

import pytest
import torch
from torch import Tensor
from transformers import OPTConfig, OPTForCausalLM, PreTrainedModel

import unidelta
from unidelta.design.spec import Deltas, Frozen
from unidelta.errors import BackboneError, ConfigError, DesignError, Problems, UserError
from unidelta.injection.injection import Injection

FAMILIES = ("bart", "roberta", "llama")
METHODS = ("mam", "lora", "adapter", "prefix", "ia3")
CASES = list(product(METHODS, FAMILIES))


def train(deltas: Injection, inputs: dict[str, Tensor], n_steps: int = 8) -> list[float]:
    optimiser = torch.optim.AdamW([p for _, p in deltas.trained_parameters()], lr=0.05)
    losses = []
    for _ in range(n_steps):
        loss = deltas.model(**inputs).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    return losses


def anatomy(model: PreTrainedModel) -> dict[str, type]:
    return {name: type(module) for name, module in model.named_modules()}


@pytest.mark.parametrize(("method", "family"), CASES)
def test_a_loop_of_ones_own_trains_the_deltas_and_nothing_else(stock, batch, method, family):
    model, inputs = stock(family), batch(family)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    deltas = unidelta.inject(model, method, head="frozen")
    losses = train(deltas, inputs)
    assert losses[-1] < losses[0] - 0.01
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items() if name in before)
    assert deltas.n_trained == sum(p.numel() for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize(("method", "family"), CASES)
def test_what_is_removed_leaves_the_stock_model_bit_for_bit(stock, batch, method, family):
    model, inputs = stock(family), batch(family)
    model.lm_head_or_classifier = None  # what a user hangs on a model stays
    classes, state, text, own = anatomy(model), deepcopy(model.state_dict()), repr(model), set(vars(model))
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    logits = model(**inputs).logits
    deltas = unidelta.inject(model, method, head="frozen")
    train(deltas, inputs, n_steps=2)
    changed = model(**inputs).logits
    assert not changed.equal(logits)
    with deltas.disabled():
        assert model(**inputs).logits.equal(logits)
        assert anatomy(model) == classes and repr(model) == text
    assert model(**inputs).logits.equal(changed)
    deltas.remove()
    assert model(**inputs).logits.equal(logits)
    assert anatomy(model) == classes and repr(model) == text and set(vars(model)) == own
    assert list(model.state_dict()) == list(state)
    assert all(tensor.equal(state[name]) for name, tensor in model.state_dict().items())
    assert {name: p.requires_grad for name, p in model.named_parameters()} == flags
    with pytest.raises(DesignError, match="removed"):
        deltas.merge()
    unidelta.inject(model, method)  # and it can be done again


@pytest.mark.parametrize(("method", "family"), CASES)
def test_copies_and_pickles_compute_the_same_and_know_their_deltas(stock, batch, method, family):
    model, inputs = stock(family), batch(family)
    deltas = unidelta.inject(model, method)
    train(deltas, inputs, n_steps=1)
    logits = model(**inputs).logits
    for copy in (deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert copy(**inputs).logits.equal(logits)
        its = unidelta.deltas_of(copy)
        assert its.model is copy and its.summary() == deltas.summary()
        its.remove()
        assert not copy(**inputs).logits.equal(logits)
    assert model(**inputs).logits.equal(logits)


def test_a_pickle_made_while_deltas_are_disabled_has_none(stock, batch):
    model, inputs = stock("llama"), batch("llama")
    deltas = unidelta.inject(model, "mam")
    with deltas.disabled():
        copy = pickle.loads(pickle.dumps(model))
    assert copy(**inputs).logits.equal(stock("llama")(**inputs).logits)
    unidelta.inject(copy, "lora").remove()
    assert unidelta.deltas_of(model) is deltas


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["lora", "ia3"])
def test_linear_deltas_merge_and_come_back_bit_for_bit(stock, batch, method, family):
    model, inputs = stock(family), batch(family)
    deltas = unidelta.inject(model, method)
    train(deltas, inputs, n_steps=2)
    state, logits = deepcopy(model.state_dict()), model(**inputs).logits
    deltas.merge()
    torch.testing.assert_close(model(**inputs).logits, logits, rtol=0, atol=1e-4)
    with pytest.raises(DesignError, match="merged already"):
        deltas.merge()
    with deltas.disabled():
        assert not model(**inputs).logits.equal(logits)
    torch.testing.assert_close(model(**inputs).logits, logits, rtol=0, atol=1e-4)
    deltas.unmerge()
    assert model(**inputs).logits.equal(logits)
    assert all(tensor.equal(state[name]) for name, tensor in model.state_dict().items())


def test_what_cannot_be_merged_says_so_and_changes_nothing(stock, batch):
    model, inputs = stock("bart"), batch("bart")
    deltas = unidelta.inject(model, "adapter")
    logits = model(**inputs).logits
    with pytest.raises(DesignError, match="not a change of weights"):
        deltas.merge()
    assert model(**inputs).logits.equal(logits)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_axes_are_those_of_the_command_line(stock, family):
    deltas = unidelta.inject(stock(family), "lora", position="ffn", budget=3, scale=2)
    (part,) = deltas.design.parts
    assert (part.slot, part.bottleneck, part.scale) == ("ffn", 3, 2)
    deltas = unidelta.inject(stock(family), "adapter", insertion="parallel", composition="learned_scale")
    (part,) = deltas.design.parts
    assert (part.insertion, part.composition) == ("parallel", "learned_scale")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_share_of_the_parameters_is_met_from_the_nearest_bottleneck(stock, family):
    model = stock(family)
    n = sum(p.numel() for p in model.parameters())
    deltas = unidelta.inject(model, "adapter", budget="5%", head="frozen")
    (part,) = deltas.design.parts
    per_unit = deltas.counts().matrices / part.bottleneck
    assert abs(deltas.counts().matrices - 0.05 * n) <= per_unit / 2 + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_summary_counts_what_the_model_holds(stock, family):
    model = stock(family)
    n = sum(p.numel() for p in model.parameters())
    deltas = unidelta.inject(model, "mam")
    text = deltas.summary()
    assert text.splitlines()[0].endswith(f"in a {type(model).__name__} of {n:,} parameters")
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert f"{trained:,}" in text.splitlines()[1] and f"{100 * trained / n:.3f} %" in text.splitlines()[1]
    assert f"{sum(t.numel() for t in deltas.stored_state().values()):,}" in text.splitlines()[2]


@pytest.mark.parametrize(
    ("method", "axes", "error", "words"),
    [
        ("mum", {}, ConfigError, "there is no method `mum`"),
        ("LoRA", {}, ConfigError, 'method="lora"'),
        (None, {}, ConfigError, "by its name, or as a design"),
        (Deltas, {}, ConfigError, "by its name, or as a design"),
        (Frozen(), {"position": "attn"}, ConfigError, "a design has its own axes"),
        ("lora", {"place": "ffn"}, Problems, "there is no such axis"),
        ("lora", {"r": 8, "lora_alpha": 16}, Problems, "budget=8; or one of"),
        ("lora", {"alpha": 2.5}, Problems, "scale=2.5; or"),
        ("lora", {"scale": 10**400}, ConfigError, "s is a finite number"),
        ("lora", {"position": "MLP"}, ConfigError, 'position="ffn"'),
        ("lora", {"position": ["attn"]}, ConfigError, "there is no position"),
        ("lora", {"position": "nowhere"}, ConfigError, "there is no position `nowhere`"),
        ("prefix", {"position": "ffn"}, Problems, "ffn"),
        ("lora", {"insertion": "sequential", "composition": "gated"}, Problems, "only a prefix has a softmax"),
        ("lora", {"budget": "900%"}, Problems, "budget"),
        ("lora", {"budget": "much"}, ConfigError, "percent"),
        ("lora", {"budget": 0.5}, ConfigError, 'budget="0.5%", or budget=30'),
        ("lora", {"budget": True}, ConfigError, "which is whole"),
        ("mam", {"budget": {"attn": 2.5}}, ConfigError, "which is whole"),
        ("mam", {"budget": [2, 3]}, ConfigError, "which is whole"),
        ("mam", {"budget": {"attention": 2}}, ConfigError, "attention is not a slot"),
        ("loreft", {"tokens": 3}, Problems, "tokens are all, the first few"),
        ("lora", {"scale": "4"}, ConfigError, "s is a number"),
        ("lora", {"head": True}, ConfigError, "the choices are conventions, frozen, trained"),
        ("lora", {"seed": -1}, ConfigError, "a seed is a whole number"),
        ("lora", {"seed": "1"}, ConfigError, "a seed is a whole number"),
        ("lora", {"seed": True}, ConfigError, "a seed is a whole number"),
        ("lora", {"fast": "no"}, ConfigError, "`fast` is true or false"),
        ("adapter", {"budget": 10_000}, Problems, "10000"),
        ("lora", {"budget": 0}, Problems, "bottleneck"),
        ("ia3", {"budget": 4}, Problems, "bottleneck"),
        ("mam", {"scale": -1.0}, Problems, "finite and positive"),
        ("prompt", {"position": "attn"}, Problems, "position"),
    ],
    ids=str,
)
def test_an_impossible_wish_is_refused_in_three_lines_and_changes_nothing(stock, batch, method, axes, error, words):
    model, inputs = stock("bart"), batch("bart")
    logits, classes = model(**inputs).logits, anatomy(model)
    with pytest.raises(error, match=words) as refusal:
        unidelta.inject(model, method, **axes)
    for each in getattr(refusal.value, "errors", [refusal.value]):
        assert [line.split(":")[0] for line in str(each).splitlines()] == ["You asked", "Why not", "Instead"]
    assert anatomy(model) == classes and model(**inputs).logits.equal(logits)


def test_an_architecture_that_is_not_known_is_refused_with_those_that_are():
    sizes = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 20}
    model = OPTForCausalLM(OPTConfig(**sizes, ffn_dim=8, word_embed_proj_dim=8))
    with pytest.raises(BackboneError, match="bart, mbart, roberta"):
        unidelta.inject(model, "lora")
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.compile's own imports
@pytest.mark.parametrize(
    ("wrong", "instead"),
    [
        (lambda model: "facebook/bart-large", "from_pretrained"),
        (lambda model: model.state_dict(), "from_pretrained"),
        (lambda model: model.lm_head, "from_pretrained"),
        (lambda model: model.config, "from_pretrained"),
        (torch.nn.DataParallel, "its `.module`, before it is wrapped"),
        (torch.compile, "then torch.compile(model)"),
    ],
)
def test_what_is_no_model_is_refused_with_what_would_be_one(stock, wrong, instead):
    thing = wrong(stock("bart"))
    for ask in (unidelta.inject, unidelta.design):
        with pytest.raises(BackboneError, match="not a model of transformers") as refusal:
            ask(thing, "lora")
        assert instead in refusal.value.instead
    with pytest.raises(DesignError, match="this model has none"):
        unidelta.deltas_of(thing)


def test_what_is_not_in_the_model_is_neither_saved_nor_merged_nor_removed(stock, tmp_path):
    deltas = unidelta.inject(stock("bart"), "lora")
    asked = {"save": lambda: deltas.save(tmp_path / "new"), "merge": deltas.merge, "remove": deltas.remove}
    with deltas.disabled():
        for name, ask in asked.items():
            with pytest.raises(DesignError, match=f"{name} deltas\n.*they are disabled here"):
                ask()
        with pytest.raises(DesignError, match="has deltas already"):
            unidelta.inject(deltas.model, "adapter")
    deltas.save(tmp_path / "before")
    deltas.remove()
    for name, ask in asked.items():
        with pytest.raises(DesignError, match=f"{name} deltas\n.*they were removed"):
            ask()
    assert [path.name for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_injection_is_refused(stock, family):
    model = stock(family)
    deltas = unidelta.inject(model, "lora")
    with pytest.raises(DesignError, match=r"deltas\.remove\(\)"):
        unidelta.inject(model, "adapter")
    assert unidelta.deltas_of(model) is deltas


def test_a_model_without_deltas_has_none(stock):
    with pytest.raises(UserError, match="this model has none"):
        unidelta.deltas_of(stock("bart"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.compile's own imports
def test_the_deltas_of_what_is_wrapped_are_told_to_be_inside(stock):
    deltas = unidelta.inject(stock("bart"), "lora")
    with pytest.raises(UserError, match=r"deltas_of\(model\.module\)"):
        unidelta.deltas_of(torch.nn.DataParallel(deltas.model))
    assert unidelta.deltas_of(torch.compile(deltas.model)) is deltas


def test_a_design_can_be_looked_at_changed_and_injected(stock):
    from dataclasses import replace

    model = stock("llama")
    design = unidelta.design(model, "mam")
    wider = replace(design, parts=tuple(replace(part, bottleneck=2) for part in design.parts))
    deltas = unidelta.inject(model, wider)
    assert [part.bottleneck for part in deltas.design.parts] == [2, 2]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_the_start_and_the_global_state_is_left_alone(stock, family):
    state = torch.get_rng_state()
    starts = []
    for seed in (1, 1, 2):
        deltas = unidelta.inject(stock(family), "mam", seed=seed)
        starts.append(torch.cat([p.detach().flatten() for _, p in deltas.trained_parameters()]))
    assert torch.get_rng_state().equal(state)
    assert starts[0].equal(starts[1]) and not starts[0].equal(starts[2])
