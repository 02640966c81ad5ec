"""Rows to token ids: special tokens, counted truncation, and ids out of a model's range."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MBartTokenizer, PreTrainedTokenizerFast

from unidelta.errors import ConfigError, DataError
from unidelta.tasks.encode import ModelLimits
from unidelta.tasks.encoded_cache import encode

WORDS = ["<s>", "<pad>", "</s>", "<unk>", *"a b c d e f g h i j k l m n o p q r s t".split()]
LIMITS = ModelLimits(vocab_size=len(WORDS), n_positions=64)
A = WORDS.index("a")


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B:1 </s>:1",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=core, model_input_names=inputs, **names)


def ids(feature, name: str = "input_ids") -> list[int]:
    assert feature[name].dtype == np.int32
    return feature[name].tolist()


def test_a_summary_is_encoded_and_its_cuts_are_counted(make_task, tokenizer) -> None:
    spec = make_task("xsum", max_source_length=5, max_target_length=4, eval_max_target_length=3)
    rows = [{"document": "a b c d e", "summary": "b c d"}, {"document": "a b c", "summary": "a"}]
    train = encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train")
    # Five tokens of seven and five of five; four of five and three of three.
    assert [ids(feature) for feature in train.features] == [[0, A, A + 1, A + 2, 2]] * 2
    assert [ids(feature, "labels") for feature in train.features] == [[0, A + 1, A + 2, 2], [0, A, 2]]
    assert (train.n_truncated_sources, train.n_truncated_targets, len(train)) == (1, 1, 2)
    evaluated = encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="test")
    assert ids(evaluated.features[0], "labels") == [0, A + 1, 2]


def test_a_pair_is_one_sequence_with_its_label(make_task, tokenizer) -> None:
    rows = [{"premise": "a b", "hypothesis": "c", "label": 2}]
    encoded = encode(rows, spec=make_task("mnli"), tokenizer=tokenizer, limits=LIMITS, split="train")
    feature = encoded.features[0]
    assert ids(feature) == [0, A, A + 1, 2, 2, A + 2, 2]
    assert ids(feature, "token_type_ids") == [0, 0, 0, 0, 0, 1, 1]
    assert feature["labels"] == 2
    assert encoded.n_truncated_targets == 0


def test_a_long_pair_loses_tokens_of_its_longer_side(make_task, tokenizer) -> None:
    rows = [{"premise": "a b c d e f", "hypothesis": "g", "label": 0}]
    spec = make_task("mnli", max_source_length=7)
    encoded = encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train")
    assert ids(encoded.features[0]) == [0, A, A + 1, 2, 2, A + 6, 2]
    assert encoded.n_truncated_sources == 1


def test_order_survives_chunks(make_task, tokenizer) -> None:
    rows = [{"sentence": WORDS[A + i % 20], "label": i % 2} for i in range(2500)]
    encoded = encode(rows, spec=make_task("sst2"), tokenizer=tokenizer, limits=LIMITS, split="train")
    assert [ids(feature)[1] for feature in encoded.features] == [A + i % 20 for i in range(2500)]
    assert [feature["labels"] for feature in encoded.features] == [i % 2 for i in range(2500)]


def test_mbart_marks_both_languages(make_task) -> None:
    tokenizer = MBartTokenizer()
    rows = [{"translation": {"en": "sea", "ro": "mare"}}]
    limits = ModelLimits(vocab_size=len(tokenizer), n_positions=64)
    encoded = encode(rows, spec=make_task("wmt_en_ro"), tokenizer=tokenizer, limits=limits, split="train")
    end, english, romanian = tokenizer.convert_tokens_to_ids(["</s>", "en_XX", "ro_RO"])
    assert ids(encoded.features[0])[-2:] == [end, english]
    assert ids(encoded.features[0], "labels")[-2:] == [end, romanian]


def test_a_tokenizer_without_languages_encodes_plainly(make_task, tokenizer) -> None:
    rows = [{"translation": {"en": "a", "ro": "b"}}]
    encoded = encode(rows, spec=make_task("wmt_en_ro"), tokenizer=tokenizer, limits=LIMITS, split="train")
    assert (ids(encoded.features[0]), ids(encoded.features[0], "labels")) == ([0, A, 2], [0, A + 1, 2])


def test_an_unknown_language_is_refused(make_task) -> None:
    spec = make_task("wmt_en_ro", target_language="ro_XX")
    rows = [{"translation": {"en": "sea", "ro": "mare"}}]
    with pytest.raises(ConfigError) as caught:
        encode(rows, spec=spec, tokenizer=MBartTokenizer(), limits=LIMITS, split="train")
    assert caught.value.asked == "task.target_language=ro_XX"
    assert "ro_RO" in caught.value.instead


def test_ids_beyond_the_vocabulary_are_refused_with_both_numbers(make_task, tokenizer) -> None:
    limits = ModelLimits(vocab_size=A + 3, n_positions=64)
    spec = make_task("xsum")
    fine = [{"document": "a b c", "summary": "a"}]
    encode(fine, spec=spec, tokenizer=tokenizer, limits=limits, split="train")
    for row in ({"document": "a d", "summary": "a"}, {"document": "a", "summary": "d"}):
        with pytest.raises(DataError) as caught:
            encode([*fine, row], spec=spec, tokenizer=tokenizer, limits=limits, split="train")
        assert caught.value.why == (f"the tokenizer gives the id {A + 3}; the model has embeddings for {A + 3} tokens")


@pytest.mark.parametrize(
    ("name", "split"),
    [("max_source_length", "train"), ("max_target_length", "train"), ("eval_max_target_length", "dev")],
)
def test_lengths_beyond_the_positions_are_refused(make_task, tokenizer, name: str, split: str) -> None:
    rows = [{"document": "a", "summary": "a"}]
    with pytest.raises(ConfigError) as caught:
        spec = make_task("xsum", **{name: 65})
        encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split=split)
    assert caught.value.asked == f"task.{name}=65"
    assert caught.value.why == "the model has positions for 2 to 64 tokens"


def test_no_rows_are_refused(make_task, tokenizer) -> None:
    with pytest.raises(DataError, match="there are no rows"):
        encode([], spec=make_task("sst2"), tokenizer=tokenizer, limits=LIMITS, split="train")


EMPTY = {
    "xsum": [{"document": "", "summary": "a"}, {"document": "a", "summary": " "}, {"document": "b", "summary": "b"}],
    "wmt_en_ro": [{"translation": {"en": en, "ro": ro}} for en, ro in (("", "a"), ("a", "\n"), ("b", "b"))],
    "mnli": [{"premise": p, "hypothesis": h, "label": 0} for p, h in (("", "a"), ("a", "b"), ("b", "a"))],
}


@pytest.mark.parametrize("task", EMPTY)
def test_empty_texts_are_kept_and_counted(make_task, tokenizer, task: str) -> None:
    spec = make_task(task)
    encoded = encode(EMPTY[task], spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train")
    is_text = task != "mnli"
    assert (len(encoded), encoded.n_empty_sources, encoded.n_empty_targets) == (3, 1, int(is_text))
    assert ids(encoded.features[0]) == ([0, 2] if is_text else [0, 2, 2, A, 2])
    if is_text:
        assert ids(encoded.features[1], "labels") == [0, 2]


def test_a_pair_is_empty_where_either_sentence_is(make_task, tokenizer) -> None:
    rows = [{"premise": p, "hypothesis": h, "label": 0} for p, h in ((" ", "a"), ("a", ""), ("", ""), ("a", "b"))]
    encoded = encode(rows, spec=make_task("mnli"), tokenizer=tokenizer, limits=LIMITS, split="train")
    assert encoded.n_empty_sources == 3


def test_a_split_without_any_source_is_refused(make_task, tokenizer) -> None:
    rows = [{"sentence": " ", "label": 0}] * 2
    with pytest.raises(DataError, match="all 2 rows have an empty source"):
        encode(rows, spec=make_task("sst2"), tokenizer=tokenizer, limits=LIMITS, split="train")


def test_a_tokenizer_that_gives_nothing_for_an_empty_text_is_refused(make_task, tokenizer) -> None:
    tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    rows = [{"document": "a", "summary": "a"}, {"document": "", "summary": "a"}]
    with pytest.raises(DataError, match="gives no token at all for the source of row 2, not even special ones"):
        encode(rows, spec=make_task("xsum"), tokenizer=tokenizer, limits=LIMITS, split="train")
