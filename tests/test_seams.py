"""One idea, one file: no other file branches on the name of a form, composition, family, task or metric."""

import ast
from pathlib import Path

import pytest

from unidelta.design.composition import COMPOSITIONS
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.extensions.folders import config_names
from unidelta.tasks import KINDS, METRICS

PACKAGE = Path(__file__).parents[1] / "src" / "unidelta"


def branches_on_names(source: str, names: frozenset[str]) -> list[str]:
    """Decisions by the name of a form, a composition or an architecture: comparisons, cases, dictionaries by name."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=others):
                places = [left, *others]
            case ast.match_case(pattern=pattern):
                places = [pattern]
            case ast.Dict(keys=keys):
                places = [key for key in keys if key is not None]
            case ast.Subscript(slice=index):
                places = [index]
            case ast.Call(func=ast.Attribute(attr="get" | "pop" | "startswith" | "endswith"), args=arguments):
                places = list(arguments)
            case _:
                continue
        words = {n.value for place in places for n in ast.walk(place) if isinstance(n, ast.Constant)} & names
        found += [f"{node.lineno if hasattr(node, 'lineno') else '?'}: {word}" for word in sorted(words)]
    return found


# A bottleneck is also the size of every form that has one: budget=bottleneck, part["bottleneck"].
NAMES = frozenset({*FORMS, *COMPOSITIONS, *FAMILIES}) - {"bottleneck"}
TASKS = frozenset({*config_names("task"), *KINDS})
OWN_FILES = ("forms", "compositions", "families", "exchange")  # the last: what other libraries call each of them


def test_only_its_own_file_knows_a_form_a_composition_or_an_architecture_by_its_name():
    found = {
        str(path): branches
        for path in (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))
        if path.parts[0] not in OWN_FILES
        and (branches := branches_on_names((PACKAGE / path).read_text(encoding="utf-8"), NAMES))
    }
    assert found == {}


def test_an_architecture_is_a_file_of_names_of_a_hundred_lines_at_most():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in (PACKAGE / "families").iterdir()
        if path.suffix == ".py"
    }
    assert {name: n for name, n in lengths.items() if n > 100} == {}


def test_no_code_but_what_stands_for_a_data_set_knows_a_task_or_a_metric_by_its_name():
    """The miniature's corpora, the published results and the names of old records are those of the four tasks."""
    own = ("mini", "analysis", "records/identity.py", "config/design_space.py")
    found = {
        str(path): branches
        for path in (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))
        if not str(path).startswith(own)
        and path.parent != Path("tasks/metrics")
        and (branches := branches_on_names((PACKAGE / path).read_text(encoding="utf-8"), TASKS | frozenset(METRICS)))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("if part.form == 'prefix': pass", True),
        ("x = form in ('low_rank', 'other')", True),
        ("match composition:\n    case 'gated': pass", True),
        ("SIZES = {'llama': 1}", True),
        ("SIZES['llama']", True),
        ("names.get('bart')", True),
        ("x = 'prefix'\nput('low_rank')", False),
        ("if part.form == other.form: pass", False),
        ("part['bottleneck'] == 3", False),
    ],
)
def test_the_branch_rule_tells_decisions_from_words(source: str, is_refused: bool):
    assert bool(branches_on_names(source, NAMES)) is is_refused
