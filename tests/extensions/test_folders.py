"""A user's folder: what its Python registers, and what stays of one that was refused."""

import pytest

import unidelta
from unidelta.design.composition import COMPOSITIONS
from unidelta.errors import ConfigError, UserError
from unidelta.extensions import folders
from unidelta.tasks.metrics.metric import METRICS

from ..own_registries import keep

METRIC = """
from dataclasses import replace
from unidelta.tasks.metrics.metric import METRICS
METRICS.register(replace(METRICS["accuracy"], name="{name}", headline="accuracy"))
"""
COMPOSITION = """
from unidelta.design.composition import Composition, register_composition
@register_composition
class Mine(Composition):
    name, formula = "of_mine", ""
    def build(self, spec, place, materials): ...
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Writes files into a folder; whatever is registered is gone afterwards."""
    monkeypatch.setattr(folders, "_folders", [])
    keep(monkeypatch, COMPOSITIONS, METRICS)

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        unidelta.register(tmp_path)

    return write


@pytest.mark.parametrize(("n_links", "below"), [(1, ""), (2, "mine")])
@pytest.mark.parametrize("call", [unidelta.register, unidelta.runs])
def test_links_in_a_circle_are_no_folder(call, n_links, below, tmp_path):
    for n in range(n_links):
        (tmp_path / str(n)).symlink_to(tmp_path / str((n + 1) % n_links))
    with pytest.raises(UserError, match=r"there is no such folder|there are none"):
        call(tmp_path / "0" / below)


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("metrics/z.py", f"{METRIC.format(name='half')}\nraise RuntimeError('later')"),
        ("metrics/z.py", METRIC.format(name="one")),
        ("method/z.yaml", "method: {fom: low_rank}"),
    ],
)
def test_a_folder_that_was_refused_is_taken_once_it_is_put_right(mine, broken, text):
    before = list(COMPOSITIONS), list(METRICS)
    files = {"compositions/a.py": COMPOSITION, "metrics/a.py": METRIC.format(name="one")}
    with pytest.raises(UserError):
        mine({**files, broken: text})
    assert (list(COMPOSITIONS), list(METRICS)) == before
    mended = "{}" if broken.endswith("yaml") else METRIC.format(name="half")
    mine({broken: "# @package _global_\nmethod: {name: z}\n" if mended == "{}" else mended})
    assert "of_mine" in COMPOSITIONS and "one" in METRICS


@pytest.mark.parametrize(
    ("kind", "instead"),
    [("compositions", "@register_composition"), ("metrics", "METRICS.register"), ("generators", "@register_generator")],
)
def test_a_file_that_registers_nothing_is_told(mine, tmp_path, kind, instead):
    with pytest.raises(ConfigError, match=f"{kind}/b.py was read, and registers nothing") as refusal:
        mine({f"{kind}/b.py": COMPOSITION.replace("@register_composition", ""), "metrics/_words.py": "words = ()"})
    assert refusal.value.instead.startswith(instead)
    mine({f"{kind}/b.py": COMPOSITION})
    assert "of_mine" in COMPOSITIONS


@pytest.mark.parametrize(
    ("typed", "file", "advised"),
    [
        ("my/task/", "my/task/a.yaml", "my"),
        ("metrics", "metrics/a.py", "."),
        ("sweeps", "sweeps/a.yaml", "."),
        ("./my/backbone", "my/backbone/b/c.yaml", None),
        ("my/task", "my/task/method/a.yaml", None),
        ("my/other", "my/other/a.yaml", None),
    ],
)
def test_the_folder_of_a_group_is_told_with_the_one_that_it_is_in(typed, file, advised, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_folders", [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("", encoding="utf-8")
    if advised is None:
        assert folders.add_folder(typed) == (tmp_path / typed).resolve()
        return
    with pytest.raises(ConfigError) as refusal:
        folders.add_folder(typed)
    assert refusal.value.instead == f"--config-dir {advised}"
