"""A classification head of a checkpoint: in the task's order, refused for other labels, or replaced when asked."""

import json
from itertools import permutations
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

from unidelta.backbones.head import labels_in, order_of
from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.local import Local
from unidelta.errors import BackboneError
from unidelta.mini.settings import words_of
from unidelta.mini.tokenizer import tokenizer

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
SIZES |= {"vocab_size": len(words_of("roberta", seed=0)), "pad_token_id": 1, "max_position_embeddings": 40}
TOPICS = ("sport", "weather", "politics", "local news")


def checkpoint(folder: Path, family: str, names: tuple[str, ...]) -> hf.PreTrainedModel:
    """A classifier of a family with these labels, on disk with its tokenizer."""
    torch.manual_seed(11)
    config = {"bert": hf.BertConfig, "roberta": hf.RobertaConfig}[family](**SIZES, id2label=dict(enumerate(names)))
    model = hf.AutoModelForSequenceClassification.from_config(config).eval()
    model.save_pretrained(folder)
    tokenizer("roberta", seed=0).save_pretrained(folder)
    return model


def load(folder: Path, family: str, labels: tuple[str, ...], **how: object) -> LoadedBackbone:
    return Local(family=family, typed=str(folder)).load(Loading(seed=2, n_labels=len(labels), labels=labels, **how))


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda name: name.replace(" ", "_")])
@torch.no_grad()
def test_outputs_are_those_of_the_checkpoint_under_the_tasks_names(family, spelling, tmp_path: Path) -> None:
    model = checkpoint(tmp_path, family, tuple(map(spelling, TOPICS)))
    ids = torch.tensor([[5, 9, 30, 7]])
    expected = dict(zip(TOPICS, model(ids).logits[0].tolist(), strict=True))
    for labels in list(permutations(TOPICS))[::5]:
        found = load(tmp_path, family, labels)
        assert found.model(ids).logits[0].tolist() == pytest.approx([expected[name] for name in labels], abs=1e-6)
        assert found.new == () and found.inherited is not None
        assert ("put in the task's order" in found.inherited) == (labels != TOPICS)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_other_labels_are_refused_and_a_new_head_can_be_asked_for(family, tmp_path: Path) -> None:
    model = checkpoint(tmp_path, family, TOPICS)
    labels = ("anger", "joy", "fear", "love")
    with pytest.raises(BackboneError) as refusal:
        load(tmp_path, family, labels)
    assert all(name in refusal.value.why for name in TOPICS) and "backbone.head=new" in refusal.value.instead
    new, again = (load(tmp_path, family, labels, head="new") for _ in range(2))
    assert new.inherited is None and {name.split(".")[0] for name in new.new} == {"classifier"}
    theirs = model.state_dict()
    for name, tensor in new.model.state_dict().items():
        is_head = name in new.new
        assert is_head == name.startswith("classifier.")
        assert not is_head or "bias" in name or not tensor.equal(theirs[name])
        assert tensor.equal(again.model.state_dict()[name])
        assert is_head or tensor.equal(theirs[name])


def test_a_head_for_another_number_of_labels_is_new(tmp_path: Path) -> None:
    checkpoint(tmp_path, "bert", TOPICS)
    found = load(tmp_path, "bert", ("no", "yes"))
    assert found.inherited is None and found.new == ("classifier.bias", "classifier.weight")


@pytest.mark.parametrize(
    ("theirs", "ours", "rows", "said"),
    [
        (("LABEL_0", "LABEL_1"), ("negative", "positive"), [0, 1], "does not name its labels"),
        (("NEGATIVE", "POSITIVE"), ("0", "1"), [0, 1], "0 is NEGATIVE, 1 is POSITIVE"),
        (("not entailment", "Entailment"), ("entailment", "not_entailment"), [1, 0], "put in the task's order"),
        (("1", "0"), ("0", "1"), [1, 0], "put in the task's order"),
        (("A", "a"), ("A", "a"), [0, 1], "are the task's"),
    ],
)
def test_which_row_is_which_label(theirs, ours, rows, said) -> None:
    found, how = order_of(theirs, ours, asked="backbone.checkpoint=DIR")
    assert found == rows and said in how


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("negative", "positive"), ("positive", "neutral")),
        (("1 star", "2 stars"), ("1", "2")),
        (("A", "b"), ("a", "A")),
        (("contradiction", "entailment"), ("no", "yes")),
        (("no", "perhaps", "yes"), ("0", "1")),
    ],
)
def test_labels_that_are_not_the_same_are_refused(theirs, ours) -> None:
    with pytest.raises(BackboneError, match="apart"):
        order_of(theirs, ours, asked="backbone.checkpoint=DIR")


def with_config(folder: Path, *, without: str, **changed: object) -> None:
    """The checkpoint's config.json by another hand."""
    path = folder / "config.json"
    written = {**json.loads(path.read_text(encoding="utf-8")), **changed}
    del written[without]
    path.write_text(json.dumps(written), encoding="utf-8")


@pytest.mark.parametrize("order", [TOPICS, TOPICS[::-1], (TOPICS[2], *TOPICS[:2], TOPICS[3])])
@torch.no_grad()
def test_labels_that_only_label2id_names_are_known_by_it(order: tuple[str, ...], tmp_path: Path) -> None:
    model = checkpoint(tmp_path, "bert", order)
    rows = {name: row for row, name in enumerate(order)}
    with_config(tmp_path, without="id2label", num_labels=4, label2id=dict(sorted(rows.items())))
    ids = torch.tensor([[5, 9, 30, 7]])
    theirs = model(ids).logits[0]
    expected = [theirs[rows[name]].item() for name in TOPICS]
    found = load(tmp_path, "bert", TOPICS)
    assert found.model(ids).logits[0].tolist() == pytest.approx(expected, abs=1e-6)
    with pytest.raises(BackboneError, match="local news"):
        load(tmp_path, "bert", ("anger", "joy", "fear", "love"))


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ({"label2id": {"b": 1, "a": 0, "c": 2}}, ["a", "b", "c"]),
        ({"label2id": {"b": "1", "a": "0"}, "id2label": None}, ["a", "b"]),
        ({"label2id": {"b": 1, "a": 0}, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, ["a", "b"]),
        ({"label2id": {"b": 0, "a": 1}, "id2label": {"1": "b", "0": "a"}}, ["a", "b"]),
        ({"label2id": {"b": 0, "a": 0}, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, ["LABEL_0", "LABEL_1"]),
        ({"label2id": {"b": 1, "a": 2}}, []),
        ({"label2id": {"b": "x", "a": None}}, []),
        ({"label2id": None}, []),
        ({}, []),
    ],
)
def test_the_labels_that_a_config_names_by_row(written: dict[str, object], names: list[str]) -> None:
    assert labels_in(written) == names


@pytest.mark.parametrize("theirs", [("1", "0"), ("LABEL_2", "LABEL_0", "LABEL_1")])
def test_numbers_that_are_not_by_row_are_names(theirs: tuple[str, ...]) -> None:
    ours = ("negative", "positive", "neutral")[: len(theirs)]
    with pytest.raises(BackboneError, match="apart"):
        order_of(theirs, ours, asked="backbone.checkpoint=DIR")


@pytest.mark.parametrize(
    "kind",
    [hf.BertForTokenClassification, hf.RobertaForTokenClassification, hf.ElectraForTokenClassification, "BertRanker"],
)
def test_a_head_for_another_task_is_drawn_anew_and_said_to_be_new(kind: object, tmp_path: Path) -> None:
    family = "bert" if isinstance(kind, str) else kind.config_class.model_type
    checkpoint(tmp_path, "bert", ("no", "yes"))
    if not isinstance(kind, str):
        kind(kind.config_class(**SIZES, embedding_size=16)).save_pretrained(tmp_path)
    with_config(tmp_path, without="dtype", architectures=[kind if isinstance(kind, str) else kind.__name__])
    theirs = load_file(tmp_path / "model.safetensors")
    found, again = (load(tmp_path, family, ("no", "yes")) for _ in range(2))
    assert found.inherited is None
    head = {name: tensor for name, tensor in found.model.state_dict().items() if name.startswith("classifier.")}
    assert set(head) <= set(found.new)
    for name, tensor in head.items():
        assert "bias" in name or name not in theirs or not tensor.equal(theirs[name])
        assert tensor.equal(again.model.state_dict()[name])


def test_a_head_of_a_checkpoint_that_does_not_say_its_class_is_used(tmp_path: Path) -> None:
    checkpoint(tmp_path, "bert", TOPICS)
    with_config(tmp_path, without="architectures")
    assert load(tmp_path, "bert", TOPICS).new == ()
