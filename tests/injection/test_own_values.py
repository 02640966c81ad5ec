"""A head that a design trains is the stock model's again where the deltas are disabled or removed."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

import unidelta
from unidelta.design.family import FAMILIES
from unidelta.exchange.approximate import approximated

CASES = [("gpt2", "adapter"), ("mistral", "prompt"), ("bert", "mam"), ("modernbert", "ssf"), ("qwen2", "oft")]
INPUTS = {"input_ids": torch.tensor([[5, 9, 3, 30], [11, 4, 22, 6]]), "attention_mask": torch.ones(2, 4)}


def stock(family: str) -> PreTrainedModel:
    """Always the same weights."""
    config = AutoConfig.for_model(family, **{**FAMILIES[family].tiny, "num_labels": 3})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return AutoModelForSequenceClassification.from_config(config).eval()


def logits(model: PreTrainedModel) -> Tensor:
    with torch.no_grad():
        return model(**INPUTS).logits


def trained(family: str, method: str, **axes):
    """A model after one step of its head and its deltas."""
    deltas = unidelta.inject(stock(family), method, **{"head": "trained", **axes})
    optimiser = torch.optim.SGD([parameter for _, parameter in deltas.trained_parameters()], lr=1.0)
    deltas.model(**INPUTS, labels=torch.tensor([1, 2])).loss.backward()
    optimiser.step()
    return deltas


def is_stock(model: PreTrainedModel, family: str) -> bool:
    state, expected = model.state_dict(), stock(family).state_dict()
    return state.keys() == expected.keys() and all(tensor.equal(state[name]) for name, tensor in expected.items())


@pytest.mark.parametrize(("family", "method"), CASES)
def test_a_trained_head_is_put_back_and_is_trained_again_afterwards(family, method):
    deltas = trained(family, method)
    model, after = deltas.model, logits(deltas.model)
    head = FAMILIES[family].head
    assert any(name.startswith(head) for name in deltas.trained) and not is_stock(model, family)
    assert not [name for name in model.state_dict() if "before" in name]
    twin = deepcopy(model)
    with deltas.disabled():
        assert is_stock(model, family) and logits(model).equal(logits(stock(family)))
    assert logits(model).equal(after) and logits(twin).equal(after)
    deltas.remove()
    assert is_stock(model, family) and logits(model).equal(logits(stock(family)))
    unidelta.deltas_of(twin).remove()
    assert is_stock(twin, family)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("where", ["before", "inside"])
def test_a_head_follows_a_model_that_is_converted(where, merged):
    deltas = trained("llama", "lora")
    model, after = deltas.model, logits(deltas.model)
    if merged:
        deltas.merge()
    if where == "before":
        model.to(torch.float64)
    with deltas.disabled():
        model.to(torch.float64)
        assert logits(model).dtype == torch.float64
        torch.testing.assert_close(model.score.weight, stock("llama").score.weight.double(), rtol=0, atol=0)
    torch.testing.assert_close(logits(model).float(), after, rtol=0, atol=1e-5)


@pytest.mark.parametrize("how", ["load", "import"])
@pytest.mark.parametrize(("family", "method"), [("roberta", "ia3"), ("gemma3_text", "dora")])
def test_what_is_loaded_or_imported_is_put_back_too(tmp_path, family, method, how):
    deltas, model = trained(family, method), stock(family)
    if how == "load":
        words = deltas.model.get_input_embeddings().weight.requires_grad_(True)
        words.data += 1
        deltas.save(tmp_path / "saved")
        unidelta.load(tmp_path / "saved", model)
    else:
        unidelta.export(deltas.model, tmp_path / "saved", to="peft")
        unidelta.import_(tmp_path / "saved", model, source="peft")
    torch.testing.assert_close(logits(model.eval()), logits(deltas.model), rtol=0, atol=1e-5)
    unidelta.deltas_of(model).remove()
    assert is_stock(model, family)


def test_a_low_rank_update_has_the_trained_head():
    deltas = trained("llama", "ia3")
    fitted, _ = approximated(deltas, 8, asked="")
    torch.testing.assert_close(logits(fitted.model), logits(deltas.model), rtol=0, atol=1e-5)


def test_a_head_that_was_replaced_stays():
    deltas = trained("bert", "lora")
    deltas.model.classifier = torch.nn.Linear(12, 7)
    expected = deltas.model.classifier.weight.clone()
    with deltas.disabled():
        assert deltas.model.classifier.weight.equal(expected)
    deltas.remove()
    assert deltas.model.classifier.weight.equal(expected)


def test_bitfit_changes_the_model_itself_with_its_head():
    deltas = trained("roberta", "bitfit")
    after = logits(deltas.model)
    with deltas.disabled():
        assert logits(deltas.model).equal(after)
    deltas.remove()
    assert logits(deltas.model).equal(after)
