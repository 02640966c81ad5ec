"""method=frozen: nothing is tuned, so there is nothing to place, to compose or to size."""

import json

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, BertConfig, BertForSequenceClassification

from unidelta.design.count import count
from unidelta.design.describe import describe, table1
from unidelta.design.design_json import design_from_dict, design_to_dict
from unidelta.design.rules import check
from unidelta.design.spec import Frozen, LinearProbe
from unidelta.errors import Problems, UserError
from unidelta.injection.inject import inject


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("task", ["xsum", "wmt_en_ro", "mnli", "sst2"])
def test_frozen_resolves_to_a_design_of_no_parameters(asked, task, scale):
    spec = asked("method=frozen", f"task={task}", f"scale={scale}", saves_apart=scale == "mini")
    architecture = spec.backbone.architecture
    assert (spec.method, spec.design, spec.published_bottlenecks) == ("frozen", Frozen(), {})
    assert check(spec.design, architecture) == []
    counts = count(spec.design, architecture)
    assert (counts.trained, counts.stored, counts.matrices) == (0, 0, 0)
    assert (counts.percent_trained, counts.percent_stored, counts.percent_published_rule) == (0, 0, 0)
    assert counts.backbone == architecture.n_parameters


def test_frozen_has_no_head_that_trains_in_either_convention(asked):
    for words in ((), ("conventions=paper",), ("backbone=bert",)):
        assert asked("method=frozen", "task=mnli", *words).design == Frozen()


def test_a_head_that_is_asked_for_is_a_linear_probe(asked):
    """RoBERTa's head is a square map and one to the labels; BERT's the latter alone."""
    d, n = 768, 3
    sizes = {"roberta": d * d + d + n * d + n, "bert": n * d + n}
    for backbone, n_head in sizes.items():
        spec = asked("method=frozen", "task=mnli", "training.head=trained", f"backbone={backbone}")
        counts = count(spec.design, spec.backbone.architecture)
        assert (counts.trained, counts.stored, counts.matrices) == (n_head, n_head, 0)
        assert design_from_dict(json.loads(json.dumps(design_to_dict(spec.design)))) == LinearProbe()
        assert describe(spec.design) == "classification head"
    with pytest.raises(UserError, match="no classification head"):
        asked("method=frozen", "task=xsum", "training.head=trained")


def test_a_linear_probe_trains_the_head_and_nothing_else():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=20, num_labels=2))
    injection = inject(model, LinearProbe(), generator=torch.Generator())
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == {"classifier.weight", "classifier.bias"} == set(injection.stored_state())


def test_frozen_survives_json_and_is_told_apart_from_full(asked):
    written = json.loads(json.dumps(design_to_dict(Frozen())))
    assert written == {"kind": "frozen"}
    assert design_from_dict(written) == Frozen()
    assert asked("method=frozen", "task=xsum").scientific()["design"] == written
    assert asked("method=frozen", "task=xsum").scientific() != asked("method=full", "task=xsum").scientific()


def test_frozen_is_described_as_nothing_and_has_no_row_in_table_1():
    assert describe(Frozen()) == "nothing"
    assert table1({"frozen": Frozen()}) == table1({})


# words typed with method=frozen: (words of the reason, the way out)
REFUSED = {
    "position=attn": ("frozen inserts no delta, so it has no position", "method=frozen alone"),
    "position=both": ("frozen inserts no delta, so it has no position", "method=frozen alone"),
    "insertion=parallel": ("frozen inserts no delta, so it has no insertion", "method=frozen alone"),
    "composition=scaled": ("frozen inserts no delta, so it has no composition", "method=frozen alone"),
    "budget=paper": ("frozen inserts no delta, so it has no budget", "method=frozen alone"),
    "position=ffn composition=additive": ("so it has no position and composition", "method=adapter"),
    "composition.scale=4": ("would ignore composition.scale", "without composition.scale"),
    "budget.percent=3": ("would ignore budget.percent", "without budget.percent"),
    "budget.bottleneck=30": ("would ignore budget.bottleneck", "without budget.bottleneck"),
    "method.attn.bottleneck=3": ("method=frozen", ""),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_belongs_to_deltas_is_refused(asked, words):
    why, instead = REFUSED[words]
    with pytest.raises(UserError) as refusal:
        asked("method=frozen", *words.split())
    (error,) = refusal.value.errors if isinstance(refusal.value, Problems) else (refusal.value,)
    assert why in error.why and instead in error.instead
    assert "method=frozen" in str(error)


def test_a_frozen_model_is_the_stock_model_and_trains_nothing():
    sizes = {"d_model": 8, "vocab_size": 20, "max_position_embeddings": 16}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": 1, f"{side}_attention_heads": 2, f"{side}_ffn_dim": 8}
    model = BartForConditionalGeneration(BartConfig(**sizes, forced_eos_token_id=None)).eval()
    inputs = {"input_ids": torch.tensor([[3, 4, 5]]), "labels": torch.tensor([[6, 7]])}
    logits = model(**inputs).logits
    types = [type(module) for module in model.modules()]
    injection = inject(model, Frozen(), generator=torch.Generator())
    assert (injection.trained, injection.n_trained, injection.n_stored) == ((), 0, 0)
    assert injection.stored_state() == {}
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert [type(module) for module in model.modules()] == types
    after = model(**inputs)
    assert after.logits.equal(logits) and not after.loss.requires_grad
    injection.fold()
    assert model(**inputs).logits.equal(logits)
