"""A registry: whatever is asked of it first, it knows the project's own things, and keeps them."""

from importlib.metadata import EntryPoint

import pytest

from unidelta.errors import DesignError
from unidelta.extensions import registry
from unidelta.extensions.paths import PACKAGE

from ..forked import forked

OF_A_CLASS = """
import unidelta


class Mine(unidelta.{kind}):
    name, formula, title, short, level, makes = "{name}", "", "", "", "sublayer", "maps"
    def released(self, outline): ...
    def paper(self, outline): ...
    def n_matrices(self, spec, place): ...
    def build(self, spec, place, materials): ...


unidelta.register(Mine)
"""
OF_A_VALUE = """
from dataclasses import replace
from {module} import {registry}
{registry}.register(replace({registry}["{name}"], {change}))
"""
LATER = """
import unidelta
from {module} import {registry}
for _ in range(2):
    try:
        unidelta.register("mine")
    except unidelta.errors.UserError as error:
        print(error)
things = dict({registry}.items())
print(len(things), type(things["{name}"]).__module__)
"""


@pytest.mark.parametrize(
    ("kind", "registry", "name", "text"),
    [
        ("form", "FORMS", "prefix", OF_A_CLASS.format(kind="Form", name="prefix")),
        ("generator", "GENERATORS", "kronecker", OF_A_CLASS.format(kind="Generator", name="kronecker")),
        ("composition", "COMPOSITIONS", "gated", OF_A_CLASS.format(kind="Composition", name="gated")),
        (
            "metric",
            "METRICS",
            "chrf",
            OF_A_VALUE.format(
                module="unidelta.tasks.metrics.metric", registry="METRICS", name="chrf", change="headline='chrf'"
            ),
        ),
        (
            "family",
            "FAMILIES",
            "gpt2",
            OF_A_VALUE.format(module="unidelta.design.family", registry="FAMILIES", name="gpt2", change="head='x'"),
        ),
    ],
)
def test_a_name_of_the_projects_own_is_refused_though_nothing_used_the_registry_before(
    tmp_path, kind, registry, name, text
):
    folder = "families" if kind == "family" else f"{kind}s"
    module = "unidelta.tasks.metrics.metric" if kind == "metric" else f"unidelta.design.{kind}"
    (tmp_path / "mine" / folder).mkdir(parents=True)
    (tmp_path / "mine" / folder / "a.py").write_text(text, encoding="utf-8")
    done = forked(["-c", LATER.format(module=module, registry=registry, name=name)], tmp_path)
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    package = PACKAGE / ("tasks/metrics" if kind == "metric" else folder)
    files = f"of {package / name}.py; this one is of {tmp_path.resolve()}/mine/{folder}/a.py"
    assert [line.rpartition("already, ")[2] for line in said if line.startswith("Why not")] == [files] * 2
    count, where = last.split()
    assert int(count) >= 5 and not where.startswith("unidelta_extension")


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name


def test_a_package_that_cannot_be_used_is_told_each_time_and_leaves_nothing(monkeypatch):
    found = registry.Registry(Thing, "thing", package="unidelta.generators")

    class Broken:
        name, value = "broken", "package:thing"

        def load(self) -> None:
            found.register(Thing("half"))
            raise RuntimeError("no such library")

    monkeypatch.setattr(registry, "entry_points", lambda *, group: [Broken()])
    for _ in range(2):
        with pytest.raises(DesignError, match="RuntimeError: no such library"):
            len(found)
    monkeypatch.setattr(registry, "entry_points", lambda *, group: list[EntryPoint]())
    assert list(found) == []
