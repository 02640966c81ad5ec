"""Prompts and targets as token ids: what begins and ends them, what is cut, and what is refused before training."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from unidelta.errors import UserError
from unidelta.tasks import TaskSpec
from unidelta.tasks.encode import ModelLimits
from unidelta.tasks.encoded_cache import encode
from unidelta.tasks.text_prompt import TextPrompt, usual_template, wrong_template

from ..task_facts import task_spec

DOCUMENT = "rain fell on the hills and the river rose over the old bridge by night"
ROWS = [{"document": DOCUMENT, "summary": "rain fell"}, {"document": "rain", "summary": "the old river rose by night"}]


def bytes_of(*, ends: bool, pad: str | None = None, chat: str | None = None) -> PreTrainedTokenizerFast:
    """A byte-level BPE that begins texts, and may end them too, as T5's does and GPT-2's does not."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|begin|>", "<|end|>", *([pad] if pad else [])]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        [f" {DOCUMENT}"] * 9, trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=alphabet)
    )
    single = "<|begin|> $A <|end|>" if ends else "<|begin|> $A"
    core.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=[(s, i) for i, s in enumerate(special[:2])]
    )
    core.decoder = decoders.ByteLevel()
    names = {"bos_token": "<|begin|>", "eos_token": "<|end|>", **({"pad_token": pad} if pad else {})}
    return PreTrainedTokenizerFast(tokenizer_object=core, chat_template=chat, **names)


LIMITS = ModelLimits(vocab_size=400, n_positions=64)


def task(template: str, name: str = "xsum", *, chat: bool = False, words: tuple[str, ...] = (), **changes) -> TaskSpec:
    lengths = {"max_source_length": 40, "max_target_length": 20, "eval_max_target_length": 20}
    prompt = TextPrompt(template=template, is_chat=chat, label_words=words)
    return task_spec(name, prompt=prompt, **{**lengths, **changes})


def texts(spec: TaskSpec, tokenizer: PreTrainedTokenizerFast, rows=ROWS) -> list[tuple[str, str]]:
    encoded = encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train")
    return [tuple(tokenizer.decode(feature[name]) for name in ("input_ids", "labels")) for feature in encoded.features]


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(
    ("template", "space"), [("{source}\nIn short:", " "), ("Read: {source}\n", ""), ("«{source}» ", "")]
)
def test_a_prompt_begins_as_texts_do_and_a_target_ends_as_they_do(ends: bool, template: str, space: str) -> None:
    tokenizer = bytes_of(ends=ends)
    expected = [
        (f"<|begin|>{template.format(source=row['document'])}", f"{space}{row['summary']}<|end|>") for row in ROWS
    ]
    assert texts(task(template), tokenizer) == expected


@pytest.mark.parametrize("length", range(8, 19))
def test_a_long_source_is_cut_and_the_template_stays(length: int) -> None:
    tokenizer = bytes_of(ends=False)
    spec = task("{source}|?", max_source_length=length, max_target_length=4)
    encoded = encode(ROWS, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train")
    prompt, target = (tokenizer.decode(encoded.features[0][name]) for name in ("input_ids", "labels"))
    source = prompt.removeprefix("<|begin|>").removesuffix("|?")
    assert prompt == f"<|begin|>{source}|?" and DOCUMENT.startswith(source) and source
    assert length - 2 <= len(encoded.features[0]["input_ids"]) <= length
    assert encoded.n_truncated_sources == 1
    assert len(encoded.features[1]["labels"]) == 4  # the end token is one of them
    assert target.endswith("<|end|>") and encoded.n_truncated_targets >= 1


def test_of_two_sources_the_longer_one_is_cut() -> None:
    spec = task("{text} ? {text_pair} !", "mnli", max_source_length=14)
    rows = [{"premise": DOCUMENT, "hypothesis": "rain fell", "label": 0}]
    tokenizer = bytes_of(ends=False)
    (feature,) = encode(rows, spec=spec, tokenizer=tokenizer, limits=LIMITS, split="train").features
    begin, end = tokenizer.decode(feature["input_ids"]).split(" ? ")
    assert DOCUMENT.startswith(begin.removeprefix("<|begin|>")) and end == "rain fell !" and feature["labels"] == 0


def test_labels_may_be_words_and_a_prompt_what_a_user_says() -> None:
    chat = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"
    )
    tokenizer = bytes_of(ends=False, chat=chat)
    spec = task("{text}", "sst2", chat=True, words=("night", "hills"))
    rows = [{"sentence": "the river", "label": 1}, {"sentence": "the bridge", "label": 0}]
    assert texts(spec, tokenizer, rows) == [
        ("<user>the river<bot>", " hills<|end|>"),
        ("<user>the bridge<bot>", " night<|end|>"),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chat": True}, "has no chat template: the checkpoint is a base model"),
        ({"template": f"{DOCUMENT} {{source}}", "max_source_length": 8}, "the template alone has"),
        ({"max_source_length": 50}, "the target follows its source, and the model has 64 positions"),
        ({"max_source_length": 65}, "positions for 2 to 64 tokens"),
    ],
)
def test_what_no_prompt_can_be_made_of_is_refused_before_a_row_is_read(changes, words) -> None:
    spec = task(**{"template": "{source}:", **changes})
    with pytest.raises(UserError, match=words):
        encode([], spec=spec, tokenizer=bytes_of(ends=False), limits=LIMITS, split="train")


def test_a_row_that_gives_no_token_is_told_with_its_split_and_a_template_that_does() -> None:
    tokenizer = bytes_of(ends=False)
    tokenizer.backend_tokenizer.post_processor = processors.Sequence([])  # begins no text either
    rows = [{"premise": "rain", "hypothesis": "", "label": 0}, {"premise": "", "hypothesis": "", "label": 1}]
    rows.append({"premise": "the river", "hypothesis": "rain", "label": 2})
    with pytest.raises(UserError) as caught:
        encode(
            rows, spec=task("{text}{text_pair}", "mnli"), tokenizer=tokenizer, limits=LIMITS, split="validation_matched"
        )
    assert caught.value.asked == "token ids of the validation_matched split of mnli"
    assert "for the source of row 2: it has no text" in caught.value.why
    typed = caught.value.instead.removeprefix("task.prompt='\"").partition("\"'")[0]
    encode(rows, spec=task(typed, "mnli"), tokenizer=tokenizer, limits=LIMITS, split="validation_matched")


def test_words_that_are_the_same_tokens_are_refused() -> None:
    core = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2, "a": 3}, unk_token="<unk>"))
    core.normalizer, core.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", unk_token="<unk>")
    for words in (("b", "c"), ("a", "A")):
        with pytest.raises(UserError, match="the same tokens"):
            encode([], spec=task("{text}", "sst2", words=words), tokenizer=tokenizer, limits=LIMITS, split="train")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{sorce}", "it has {sorce}, and this task's sources are {source}"),
        ("TL;DR", "it lacks {source}: the model would not see that source"),
        ("{source", "its braces cannot be read"),
        ("{}", "it has {}"),
        ("{source.__class__}{source}", "it has {source.__class__}"),
        ("{source!r}", "braces hold the role of a source and nothing else"),
        ("{source:>9}", "braces hold the role of a source and nothing else"),
        ("{{source}}", "it lacks {source}"),
        ("{{x}} {source}", None),
        (usual_template(["source"]), None),
    ],
)
def test_a_template_holds_every_source_and_nothing_else(template: str, why: str | None) -> None:
    found = wrong_template(template, ["source"])
    assert found is None if why is None else found is not None and why in found
    if why is None:
        written = template.replace("{{x}}", "{x}").replace("{source}", "{y}")
        assert TextPrompt(template=template).text({"source": "{y}"}) == written
