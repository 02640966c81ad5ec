"""Every family × method × attention: built or refused, and what is built starts, trains and counts as it should."""

from functools import cache

import pytest
import torch
from transformers import PreTrainedModel

import unidelta
from unidelta.config.groups import options
from unidelta.design.count import count
from unidelta.design.family import FAMILIES
from unidelta.errors import Problems
from unidelta.injection.activations import activations
from unidelta.injection.architecture import architecture_of

from .conftest import ALIKE

# the paper's have tests of their own
LATER = ("llama", "mistral", "qwen3", "gemma3_text", "gpt2", "t5", "modernbert", *ALIKE)
FUSED = ("gpt2", "modernbert")
HAS_BIASES = (*FUSED, *ALIKE)
UNFUSED = [family for family in LATER if family not in FUSED]
QUICK = ("mam", "adapter_pfeiffer", "lora", "bitfit", "prompt", "full")
AT_HEADS = ("multihead_parallel_adapter", "parallel_adapter_both", "llama_adapter")  # which attention computes
ATTENTIONS = ("sdpa", "eager")
BASELINES = {"full": lambda name: True, "frozen": lambda name: False, "bitfit": lambda name: name.endswith("bias")}
KEYS = {"gpt2": ("c_attn", 4, None), "t5": ("k", 5, None)}  # the map of keys, a head's width, the norm of keys
KEYS |= dict.fromkeys(("qwen3", "gemma3_text"), ("k_proj", 6, "k_norm"))
ADDS_POSITIONS = ("prefix", "prefix_lora", "mam", "prompt")  # by their equations never the identity
NO_SILENCE = ("hra", "loreft", "ssf")  # no map ends them; HRA starts as the identity up to rounding, the others do not


def is_built(family: str, method: str) -> bool:
    """Prompts need a decoder, BitFit needs biases; everything else is for everybody."""
    if method == "prompt":
        return FAMILIES[family].kind != "encoder"
    return method != "bitfit" or family in HAS_BIASES


def turn(family: str, method: str) -> int:
    """Neighbours in either list have other numbers."""
    return LATER.index(family) + options("method").index(method)


def is_slow(family: str, method: str) -> bool:
    """The quick methods meet every family, the others every third, and no architecture that is another one's."""
    return method not in QUICK and (family in ALIKE or (method not in AT_HEADS and turn(family, method) % 3 > 0))


CASES = [
    pytest.param(family, method, marks=pytest.mark.slow if is_slow(family, method) else ())
    for family in LATER
    for method in options("method")
]


def attentions(family: str, method: str) -> tuple[str, ...]:
    """Both for the quick methods and at heads, else one in turn: each family and each method meets both."""
    return ATTENTIONS if method in (*QUICK, *AT_HEADS) else (ATTENTIONS[turn(family, method) % 2],)


def silence(model: PreTrainedModel) -> None:
    """Make every Δh zero: each map that ends one, or its factor."""
    for name, parameter in model.named_parameters():
        if ".deltas." in name and name.endswith((".up", ".up.weight", ".up.bias")):
            parameter.data.zero_()
        if ".output." in name.partition("prefix_mlp_")[2]:
            parameter.data.zero_()


@pytest.fixture(scope="module")
def of_stock(tiny, batch):
    """The logits of the stock model of a family under an attention, all of it frozen or trained."""
    return cache(lambda f, a, is_on: tiny(f, attention=a).requires_grad_(is_on)(**batch(f, padded=True)).logits)


@pytest.mark.parametrize(("family", "method"), CASES)
def test_a_method_is_built_or_refused_on_a_family(tiny, batch, of_stock, family, method):
    if not is_built(family, method):
        stock = tiny(family)
        with pytest.raises(Problems) as refusal:
            unidelta.inject(stock, method)
        assert all(len(str(each).splitlines()) == 3 for each in refusal.value.errors)
        assert all(parameter.requires_grad for parameter in stock.parameters())
        return
    inputs = batch(family, padded=True)
    for attention in attentions(family, method):
        model = tiny(family, attention=attention)
        facts = architecture_of(model.config, name=family)
        deltas = unidelta.inject(model, method)
        counts = count(deltas.design, facts)
        assert (deltas.n_trained, deltas.n_stored) == (counts.trained, counts.stored)
        of_head = "classifier." if FAMILIES[family].head and method not in ("frozen", "full") else "no such name"
        meant = BASELINES.get(method, lambda name: ".deltas." in name)
        named = {name for name, _ in model.named_parameters() if meant(name) or name.startswith(of_head)}
        named -= {name for name in named if ".embed_positions." in name}  # PEGASUS' and Marian's are computed
        assert set(deltas.trained) == {name for name, p in model.named_parameters() if p.requires_grad} == named
        if method != "frozen":
            model(**inputs).loss.backward()
            assert {name for name, p in model.named_parameters() if p.grad is not None} == named
        if method not in (*ADDS_POSITIONS, *NO_SILENCE):
            if method != "pissa":  # starts as the identity, where W_up is not 0
                silence(model)
            expected = of_stock(family, attention, method == "full")
            assert model(**inputs).logits.equal(expected), f"not the stock model under {attention}"


@pytest.mark.parametrize("family", LATER)
def test_nothing_but_classes_is_changed_and_everything_is_undone(tiny, batch, family, tmp_path):
    model, inputs = tiny(family).requires_grad_(False), batch(family, padded=True)
    before, names = model(**inputs).logits, {name: type(module) for name, module in model.named_modules()}
    deltas = unidelta.inject(model, "mam")
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3))
    own = model(**inputs).logits
    assert not own.equal(before)
    with deltas.disabled():
        assert model(**inputs).logits.equal(before)
        assert {name: type(module) for name, module in model.named_modules() if name in names} == names
    assert model(**inputs).logits.equal(own)
    deltas.save(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(model(**inputs).logits, own, rtol=0, atol=1e-5)
        deltas.fold()
        folded, elsewhere = model(**inputs).logits, tiny(family)
        unidelta.load(tmp_path, elsewhere)
        torch.testing.assert_close(folded, own, rtol=0, atol=1e-5)
        torch.testing.assert_close(elsewhere(**inputs).logits, own, rtol=0, atol=1e-5)
    deltas.remove()
    assert {name: type(module) for name, module in model.named_modules()} == names
    assert model(**inputs).logits.equal(before)


@pytest.mark.usefixtures("no_float32")
@pytest.mark.parametrize("family", [*FUSED, *(pytest.param(f, marks=pytest.mark.slow) for f in UNFUSED)])
@pytest.mark.parametrize("name", ["lora_attn", "lora_ffn", "lora_sequential", "ia3", "lora_inner"])
def test_merging_is_exact_and_undone_bit_for_bit(injected, batch, family, name):
    deltas = injected(name, family, fast=False)
    model, inputs = deltas.model.double(), batch(family, padded=True)
    weights = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    expected = model(**inputs).logits
    deltas.merge()
    torch.testing.assert_close(model(**inputs).logits, expected, rtol=0, atol=1e-12)
    changed = [key for key, tensor in model.state_dict().items() if not tensor.equal(weights[key])]
    assert changed and not any(".deltas." in key for key in changed)
    deltas.unmerge()
    assert all(tensor.equal(weights[key]) for key, tensor in model.state_dict().items())


@pytest.mark.usefixtures("no_float32")
@pytest.mark.parametrize("family", [family for family in LATER if FAMILIES[family].kind != "encoder"])
def test_a_prefix_may_start_from_keys_as_attention_sees_them(tiny, batch, family):
    """They are keys of real tokens, each head normalised where the family does so."""
    model, inputs = tiny(family).double(), batch(family)
    start = activations(model, inputs, length=40, generator=torch.Generator().manual_seed(0))
    site = next(site for site in FAMILIES[family].hosts(model) if site.kind == "decoder_self")
    attention, caught = site.hosts["heads"].module, []
    name, width, norm = KEYS.get(family, ("k_proj", 6, None))
    attention.get_submodule(name).register_forward_hook(lambda _module, _inputs, output: caught.append(output))
    model(**inputs)
    key = caught[0].chunk(3, dim=-1)[1] if family in FUSED else caught[0]
    if norm is not None:
        key = attention.get_submodule(norm)(key.unflatten(-1, (-1, width))).flatten(-2)
    found, expected = start["decoder_self", 0][0], key.flatten(0, 1)
    assert found.shape == (40, expected.shape[1])
    assert torch.cdist(found, expected).min(dim=1).values.max() < 1e-6
