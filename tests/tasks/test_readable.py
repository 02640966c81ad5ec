"""Tokens that a model does not know, and references that a metric cannot read: counted by hand, said, refused."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from unidelta.errors import Problems
from unidelta.tasks.encode import ModelLimits
from unidelta.tasks.encoded_cache import encode
from unidelta.tasks.readable import Unknown, check_readable, unknown_tokens, unreadable_lines, unreadable_references
from unidelta.tasks.text_prompt import TextPrompt

WORDS = ["<s>", "<pad>", "</s>", "<unk>", *"a b c d".split()]


@pytest.fixture(params=["<unk>", None])
def tokenizer(request) -> PreTrainedTokenizerFast:
    """Of words, with an unknown token or without; what it does not know is dropped without one."""
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token=request.param
    )


def encoded(rows, spec, tokenizer):
    limits = ModelLimits(vocab_size=len(WORDS), n_positions=64)
    return encode(rows, spec=spec, tokenizer=tokenizer, limits=limits, split="test")


def test_unknown_tokens_are_counted_on_either_side(make_task, tokenizer) -> None:
    rows = [{"document": "a ж ж b", "summary": "a"}, {"document": "c c c c", "summary": "ж ж ж"}]
    found = unknown_tokens(encoded(rows, spec := make_task("xsum"), tokenizer), spec, tokenizer)
    if tokenizer.unk_token is None:
        assert {tokens.n for tokens in found.values()} == {0}
        return
    assert found == {"sources": Unknown(n=2, of=8), "targets": Unknown(n=3, of=4)}
    assert found["targets"].share == 0.75


@pytest.mark.parametrize("role", ["bos_token", "eos_token"])
def test_a_token_that_frames_texts_is_not_an_unknown_one(role: str, make_task, tokenizer) -> None:
    tokenizer.unk_token = getattr(tokenizer, role)
    rows = [{"document": "a b", "summary": "a"}]
    found = unknown_tokens(encoded(rows, spec := make_task("xsum"), tokenizer), spec, tokenizer)
    assert found == {"sources": Unknown(n=0, of=2), "targets": Unknown(n=0, of=1)}


def test_unknown_tokens_count_where_padding_is_the_same_token(make_task, tokenizer) -> None:
    tokenizer.unk_token = tokenizer.pad_token = "<unk>"
    rows = [{"document": "a ж", "summary": "a"}]
    found = unknown_tokens(encoded(rows, spec := make_task("xsum"), tokenizer), spec, tokenizer)
    assert found == {"sources": Unknown(n=1, of=2), "targets": Unknown(n=0, of=1)}


def test_a_classifier_has_sources_only_and_both_texts_of_a_pair(make_task, tokenizer) -> None:
    rows = [{"premise": "a ж", "hypothesis": "ж ж b", "label": 0}]
    found = unknown_tokens(encoded(rows, spec := make_task("mnli"), tokenizer), spec, tokenizer)
    assert found == {"sources": Unknown(n=0 if tokenizer.unk_token is None else 3, of=5)}


@pytest.mark.parametrize(
    ("template", "sources", "expected"),
    [
        ("a b c d a b c d {source}", ["ж ж a", "a"], (2, 4)),  # 2 of 20 with the prompt
        ("a {source} b c", ["ж ж", "ж"], (3, 3)),
        ("a {source} b c", ["a b", "c"], (0, 9)),  # whole prompts, where that makes no difference
        ("a ж {source}", ["b ж", "ж ж"], (3, 4)),  # 5 of 8 with the prompt
        ("ж ж {source} ж", ["a", "b"], (6, 8)),  # a prompt that is unknown still counts
    ],
)
def test_a_prompt_makes_no_source_look_known(template, sources, expected, make_task, tokenizer) -> None:
    spec = make_task("xsum", prompt=TextPrompt(template=template))
    rows = [{"document": text, "summary": "a"} for text in sources]
    if tokenizer.unk_token is None:
        assert unknown_tokens(encoded(rows, spec, tokenizer), spec, tokenizer)["sources"].n == 0
        return
    found = unknown_tokens(encoded(rows, spec, tokenizer), spec, tokenizer)["sources"]
    assert (found.n, found.of) == expected


def test_what_cannot_be_read_is_refused_with_every_side_and_the_key(make_task) -> None:
    found = {
        "train": {"sources": Unknown(n=73, of=100), "targets": Unknown(n=1, of=100)},
        "test": {"sources": Unknown(n=20, of=100), "targets": Unknown(n=21, of=100)},
    }
    with pytest.raises(Problems) as refusal:
        check_readable(found, make_task("xsum"))
    first, second = refusal.value.errors
    assert (first.asked, "73%" in first.why) == ("sources of the train split of xsum", True)
    assert second.asked == "targets of the test split of xsum"
    allowed = float(first.instead.rpartition("task.max_unknown_share=")[2].split()[0])
    check_readable(found, make_task("xsum", max_unknown_share=allowed))


@pytest.mark.parametrize(
    ("texts", "n"),
    [
        (["Дождь закрыл мост.", "rain", "雨で橋が閉鎖", "   ", "№"], 3),  # an empty reference is counted elsewhere
        (["Ţară", "ß"], 1),
        (["Heavy rain", "7"], 0),
    ],
)
def test_references_without_a_word_are_counted(texts, n, make_task) -> None:
    from rouge_score.tokenize import tokenize

    assert sum(bool(text.strip()) and not tokenize(text, None) for text in texts) == n  # as rouge-score has it
    rows = [{"document": "a", "summary": text} for text in texts]
    assert unreadable_references(rows, make_task("xsum", metrics=("rouge", "chrf"))) == ({"rouge": n} if n else {})
    assert unreadable_references(rows, make_task("xsum", metrics=("chrf", "rouge_unicode"))) == {}


def test_what_is_said_is_a_line_for_either_and_none_for_nothing() -> None:
    none = {"train": {"sources": Unknown(n=0, of=9)}}
    assert list(unreadable_lines(none, {"test": {}})) == []
    said = list(unreadable_lines({"dev": {"sources": Unknown(n=1, of=8)}}, {"test": {"rouge": 1200}}))
    assert said[0] == "Unknown tokens, which the model cannot read: dev sources 12.50%"
    assert "rouge in 1,200 of test" in said[1] and "rouge_unicode" in said[1]
    assert len(said) == 2


def test_the_miniatures_own_tasks_are_read_whole() -> None:
    from unidelta.mini import rows
    from unidelta.mini.tokenizer import tokenizer as words

    texts = [text for row in rows("xsum", "test")[:200] for text in (row["document"], row["summary"])]
    of_bart = words("bart", seed=0)
    assert of_bart.unk_token_id not in {i for ids in of_bart(texts)["input_ids"] for i in ids}
