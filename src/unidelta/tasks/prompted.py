"""Token ids of prompts and of the targets that follow them, for decoder-only models.

A prompt begins as the tokenizer begins a text, and a target ends with the token that ends one. The two are tokenised
apart, so that a model reads the same tokens in training as when it generates. A source that makes its prompt too long
is cut; the rest of the template stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from unidelta.errors import ConfigError, DataError, UserError
from unidelta.tasks.task import Row, TaskSpec
from unidelta.tasks.text_prompt import no_chat_template


def check_prompt(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, *, n_positions: int) -> list[UserError]:
    """What is wrong with a task's prompt for a tokenizer.

    Args:
        spec: a task with a prompt.
        tokenizer: the backbone's.
        n_positions: the longest sequence that the model can take, in tokens.
    """
    prompt = spec.prompt
    assert prompt is not None
    problems: list[UserError] = []
    if tokenizer.eos_token_id is None and spec.writes:
        why = "its tokenizer has no token that ends a text (eos_token), so that the model could not stop"
        problems.append(ConfigError(f"task={spec.name}", why, 'a tokenizer_config.json with "eos_token"'))
    if prompt.is_chat and not tokenizer.chat_template:
        problems.append(no_chat_template())
    if problems:
        return problems
    n_empty = len(template_ids(spec, tokenizer))
    if n_empty >= spec.max_source_length:
        asked = f"task.max_source_length={spec.max_source_length}"
        why = f"the template alone has {n_empty} tokens, and no source would be read"
        problems.append(
            ConfigError(asked, why, f"task.max_source_length={2 * n_empty} or more, or a shorter task.prompt")
        )
    if prompt.label_words:
        problems += _check_label_words(spec, tokenizer, n_positions)
    return problems


def _check_label_words(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, n_positions: int) -> list[UserError]:
    assert spec.prompt is not None
    words, asked = label_ids(spec, tokenizer), f"task.label_words=[{','.join(spec.prompt.label_words)}]"
    problems: list[UserError] = []
    if len({tuple(ids) for ids in words}) < len(words):
        why = "two of these words are the same tokens for the tokenizer, and could not be told apart"
        problems.append(ConfigError(asked, why, "task.label_words=[…], a different known word for each label"))
    longest = spec.max_source_length + max(map(len, words))
    if longest > n_positions:
        why = f"with the longest word that makes {longest} tokens, and the model has {n_positions} positions"
        instead = f"task.max_source_length={spec.max_source_length - longest + n_positions} or less"
        problems.append(ConfigError(f"task.max_source_length={spec.max_source_length} with {asked}", why, instead))
    return problems


def encode_prompts(
    rows: Sequence[Row], spec: TaskSpec, tokenizer: PreTrainedTokenizerBase
) -> tuple[list[list[int]], int]:
    """The token ids of each row's prompt, and how many sources were cut.

    Raises:
        DataError: a source cannot be cut because the tokenizer does not say where its tokens are.
    """
    whole = prompt_ids([spec.source_text(row) for row in rows], spec, tokenizer)
    too_long = [i for i, ids in enumerate(whole) if len(ids) > spec.max_source_length]
    for i in too_long:
        whole[i] = _cut(rows[i], whole[i], spec, tokenizer)
    return whole, len(too_long)


def encode_targets(
    texts: Sequence[str], spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, max_length: int | None
) -> tuple[list[list[int]], int]:
    """The token ids of each target with the end token after them, and how many were cut to `max_length`."""
    end = tokenizer.eos_token_id
    assert isinstance(end, int)
    space = " " if _wants_space(spec, tokenizer) else ""
    found = _ids(tokenizer, [f"{space}{text}" for text in texts])
    n_cut = 0 if max_length is None else sum(len(ids) >= max_length for ids in found)
    return [[*ids[: None if max_length is None else max_length - 1], end] for ids in found], n_cut


def label_ids(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """The token ids of each label's word, with the end token."""
    assert spec.prompt is not None
    return encode_targets(spec.prompt.label_words, spec, tokenizer, None)[0]


def template_ids(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The token ids of a prompt whose sources are empty."""
    assert spec.prompt is not None
    return prompt_ids([spec.prompt.text(dict.fromkeys(spec.source_roles(), ""))], spec, tokenizer)[0]


def prompt_ids(texts: Sequence[str], spec: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """The token ids of texts that are made of the template; neither cut nor ended."""
    assert spec.prompt is not None
    if spec.prompt.is_chat:
        return _ids(tokenizer, [_as_chat(tokenizer, text) for text in texts])
    begin = _beginning(tokenizer)
    return [[*begin, *ids] for ids in _ids(tokenizer, texts)]


def _cut(row: Row, ids: list[int], spec: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The prompt of a row with the end of its longest sources left out, at most `max_source_length` tokens."""
    assert spec.prompt is not None
    sources = dict(zip(spec.source_roles(), spec.sources(row), strict=True))
    while len(ids) > spec.max_source_length and any(sources.values()):
        ends = {role: _ends(tokenizer, text, spec) for role, text in sources.items()}
        longest = max(ends, key=lambda role: len(ends[role]))
        surplus = len(ids) - spec.max_source_length
        kept = ends[longest][: max(0, len(ends[longest]) - surplus)]
        sources[longest] = sources[longest][: kept[-1]] if kept else ""
        ids = prompt_ids([spec.prompt.text(sources)], spec, tokenizer)[0]
    return ids


def _ends(tokenizer: PreTrainedTokenizerBase, text: str, spec: TaskSpec) -> list[int]:
    """Where each token of a text ends, in characters."""
    if not tokenizer.is_fast:
        why = (
            "it is longer than task.max_source_length, and the tokenizer does not say where in the text its tokens are"
        )
        raise DataError(f"a prompt of {spec.name}", why, "a checkpoint with tokenizer.json")
    found: Any = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [end for _, end in found["offset_mapping"]]


def _ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, is_bare: bool = True) -> list[list[int]]:
    """Token ids of texts, bare or with the special tokens that the tokenizer puts around them."""
    found: Mapping[str, Any] = tokenizer(list(texts), add_special_tokens=not is_bare, verbose=False)
    return [list(ids) for ids in found["input_ids"]]


def _beginning(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The special tokens with which the tokenizer begins a text."""
    (whole,), (bare,) = _ids(tokenizer, ["a"], is_bare=False), _ids(tokenizer, ["a"])
    starts = [i for i in range(len(whole)) if whole[i : i + len(bare)] == bare]
    return whole[: starts[0]] if bare and starts else []


def _as_chat(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    said = [{"role": "user", "content": text}]
    return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))


def _wants_space(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a space stands between prompt and target: where the prompt does not end in one, or in a new line."""
    assert spec.prompt is not None
    end = _as_chat(tokenizer, "") if spec.prompt.is_chat else spec.prompt.text(dict.fromkeys(spec.source_roles(), "x"))
    return not end[-1:].isspace()
