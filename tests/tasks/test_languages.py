"""Codes of a translation: known to the tokenizer, and those of the columns that the texts come from."""

import pytest

from unidelta.errors import Problems
from unidelta.run.prepare import prepare
from unidelta.tasks.columns import Columns
from unidelta.tasks.language_check import wrong_languages

from ..composed import composed

KNOWN = ("en_XX", "de_DE", "fr_XX", "ro_RO")


def task(make_task, columns, codes):
    source, target = codes
    named = Columns(source=columns[0], target=columns[1])
    return make_task("wmt_en_ro", columns=named, source_language=source, target_language=target)


@pytest.mark.parametrize(
    ("columns", "codes", "instead"),
    [
        (("translation.de", "translation.fr"), ("fr_XX", "de_DE"), "task.columns.source=translation.fr"),
        (("de", "fr"), ("de_DE", "ro_RO"), "task.target_language=fr_XX"),
        (("text.en-GB", "other"), ("de_DE", "fr_XX"), "task.source_language=en_XX"),
        (("ro_RO", "en_XX"), ("en_XX", "ro_RO"), "task.columns.source=en_XX task.columns.target=ro_RO"),
        (("de", "ro"), ("de_DE", "de_DE"), "task.target_language=ro_RO"),
    ],
)
def test_a_column_of_another_language_is_refused(columns, codes, instead, make_task) -> None:
    (problem,) = wrong_languages(task(make_task, columns, codes), KNOWN)
    assert instead in problem.instead
    typed = dict(word.split("=") for word in problem.instead.split(", or ")[0].split())
    columns = [
        typed.get(f"task.columns.{side}", name) for side, name in zip(("source", "target"), columns, strict=True)
    ]
    codes = [typed.get(f"task.{side}_language", code) for side, code in zip(("source", "target"), codes, strict=True)]
    assert wrong_languages(task(make_task, columns, codes), KNOWN) == []


@pytest.mark.parametrize(
    ("columns", "codes"),
    [
        (("translation.de", "translation.fr"), ("de_DE", "fr_XX")),
        (("source", "target"), ("fr_XX", "de_DE")),
        (("src", "tgt"), ("fr_XX", "de_DE")),
        (("EN", "translation.ro"), ("en_XX", "ro_RO")),
        (("it", "pt"), ("de_DE", "fr_XX")),  # to this tokenizer these are names like any other
    ],
)
def test_columns_of_these_languages_or_of_none_are_taken(columns, codes, make_task) -> None:
    assert wrong_languages(task(make_task, columns, codes), KNOWN) == []


@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_swapped_codes_are_refused_before_anything_is_fetched(scale: str) -> None:
    words = ["task=wmt_en_ro", "task.source_language=ro_RO", "task.target_language=en_XX", f"scale={scale}"]
    with pytest.raises(Problems) as refusal:
        prepare(composed(words))
    (problem,) = refusal.value.errors
    prepare(composed([*words, *problem.instead.split(", or ")[0].split()]))
