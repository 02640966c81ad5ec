"""Folding replaces a prefix MLP by its output: the same function, fewer parameters, and what is stored."""

import pytest
import torch

NAMES = ("prefix", "prefix_gated_norm", "multihead", "mam", "prefix_lora")
FAMILIES = ("bart", "mbart", "roberta", "bert")
# attentions of the tiny models: 2 encoder + 2·3 decoder, or 2; D = 12, L = R = 6, FFN 20
SITES = {"bart": 8, "mbart": 8, "roberta": 2, "bert": 2}
FFNS = {"bart": 5, "mbart": 5, "roberta": 2, "bert": 2}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_folding_keeps_every_output_and_removes_the_mlp(injected, batch, name, family):
    injection = injected(name, family)
    model, inputs = injection.model, batch(family, padded=True)
    assert any("prefix_mlp" in key for key, _ in model.named_parameters())
    before = model(**inputs).logits
    injection.fold()
    assert model(**inputs).logits.equal(before)
    assert not any("prefix_mlp" in key for key in model.state_dict())
    keys = [key for key in model.state_dict() if key.endswith("prefix.key")]
    assert len(keys) == SITES[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_stored_has_prefixes_in_place_of_mlps(injected, family):
    stored = injected("mam", family).stored_state()
    assert not any("prefix_mlp" in key for key in stored)
    prefixes = [tensor for key, tensor in stored.items() if ".prefix." in key]
    assert [tuple(tensor.shape) for tensor in prefixes] == [(6, 12)] * (2 * SITES[family])
    adapters = (2 * 6 * 12 + 6 + 12) * FFNS[family]  # W_down, W_up and both biases
    assert sum(tensor.numel() for tensor in stored.values()) == 2 * 6 * 12 * SITES[family] + adapters
    assert not any(tensor.requires_grad for tensor in stored.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_stored_is_what_folding_makes(injected, family):
    injection = injected("mam", family)
    stored = injection.stored_state()
    injection.fold()
    state = injection.model.state_dict()
    assert stored.keys() <= state.keys()
    assert all(state[key].equal(tensor) for key, tensor in stored.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_without_an_mlp_folding_changes_nothing(injected, batch, family):
    injection = injected("prefix_direct", family)
    before = {key: tensor.clone() for key, tensor in injection.model.state_dict().items()}
    injection.fold()
    after = injection.model.state_dict()
    assert before.keys() == after.keys()
    assert all(after[key].equal(tensor) for key, tensor in before.items())


def test_what_is_stored_and_folded_in_train_mode_is_without_dropout(injected, batch):
    expected = injected("prefix", "bart", prefix_dropout=0.5)
    logits = expected.model(**batch("bart")).logits
    stored = expected.stored_state()
    training = injected("prefix", "bart", prefix_dropout=0.5)
    training.model.train()
    assert all(tensor.equal(stored[key]) for key, tensor in training.stored_state().items())
    training.fold()
    torch.testing.assert_close(training.model.eval()(**batch("bart")).logits, logits)


def test_counts_and_stored_state_still_work_after_folding(injected):
    injection = injected("mam", "bart")
    stored = injection.stored_state()
    injection.fold()
    assert injection.n_stored == sum(tensor.numel() for tensor in stored.values())
    assert injection.stored_state().keys() == stored.keys()
    assert injection.n_trained == 0 or injection.n_trained < injection.n_stored


def test_prefix_dropout_acts_while_training_only(injected, batch):
    model = injected("prefix", "bart", prefix_dropout=0.5).model
    plain = injected("prefix", "bart").model
    assert model(**batch("bart")).logits.equal(plain(**batch("bart")).logits)
    torch.manual_seed(0)
    assert not model.train()(**batch("bart")).logits.equal(plain.train()(**batch("bart")).logits)
