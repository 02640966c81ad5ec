"""The shape of the code base, read from its source: who imports whom, sizes, names, calls never made.

Each rule is a function over source text, with examples of what it refuses and of what it lets through.
"""

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "unidelta"
MAX_LINES, MAX_MEDIAN, MAX_ENTRY = 300, 150, 25
HYDRA = frozenset({"hydra", "omegaconf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What a package may import: `inside` unidelta; from other projects `outside`, and never `never`."""

    inside: frozenset[str] | None  # None: everything
    outside: frozenset[str] | None = None  # None: everything that is not in `never`
    never: frozenset[str] = HYDRA


def layer(inside: str, outside: str | None = None, never: frozenset[str] = HYDRA) -> Layer:
    names = None if outside is None else frozenset(outside.split())
    return Layer(inside=frozenset(inside.split()), outside=names, never=never)


# Packages and top-level modules of unidelta. A package always may import itself and the standard library.
DESCRIPTORS = "design errors extensions"  # what a file of names needs, and no torch until it is asked for a module
LAYERS = {
    "__init__": layer("analysis design errors extensions fast injection", "transformers pandas torch"),
    "errors": layer("", ""),
    "extensions": layer("errors", ""),
    "console": layer("", ""),
    "network": layer("errors", "huggingface_hub datasets"),
    # facts: no torch but in type annotations and in what builds a module
    "design": layer("deltas errors extensions hosts", "torch transformers yaml"),
    "forms": layer(f"{DESCRIPTORS} deltas", ""),
    "compositions": layer(f"{DESCRIPTORS} deltas", ""),
    "families": layer(f"{DESCRIPTORS} hosts", "transformers"),
    # modules
    "deltas": layer("design errors", "torch"),
    "hosts": layer("deltas design errors", "torch transformers"),
    "injection": layer("deltas design errors extensions hosts records", "safetensors torch transformers"),
    "fast": layer("deltas design hosts injection", "torch transformers"),
    "check": layer("backbones deltas design errors extensions fast hosts injection", "torch transformers"),
    "backbones": layer("design errors extensions mini network", "huggingface_hub safetensors torch transformers"),
    "tasks": layer("errors extensions mini network"),
    "mini": layer("backbones design errors extensions tasks"),
    "training": layer("errors tasks"),
    "tracking": layer("errors network records", "torch wandb"),
    "records": layer("design errors", ""),
    # the home of hydra and omegaconf
    "config": layer("design errors extensions tasks tracking training", never=frozenset()),
    "sweeps": layer("config console errors extensions network records run tasks training", never=frozenset()),
    "analysis": layer("console design errors extensions network records", never=HYDRA | {"torch", "transformers"}),
    "fidelity": layer("backbones deltas design errors extensions fast injection"),
    "cli": Layer(inside=None, never=frozenset()),
    "run": Layer(inside=None),  # from a configuration to its record: sees everything but Hydra
}


def imported(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import in `source`, lazy and type-checking ones too."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=target, names=names, level=level):
                parents = module.split(".") if is_package else module.split(".")[:-1]
                base = parents[: len(parents) - level + 1] if level else []
                prefix = ".".join([*base, *([target] if target else [])])
                yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in names)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(function) in ("importlib.import_module", "import_module", "__import__"):
                    yield node.lineno, name


def forbidden_imports(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Imports in `source`, the text of `module` (say unidelta.design.spec), which its layer refuses."""
    own = "__init__" if module == "unidelta" else module.split(".")[1]
    rule = LAYERS[own]
    found = []
    for line, name in imported(source, module, is_package=is_package):
        top, *rest = name.split(".")
        if top == "unidelta":
            part = rest[0] if rest else "__init__"
            is_fine = rule.inside is None or part in rule.inside | {own} or part.startswith("__")
        else:
            listed = rule.outside is None or top in rule.outside
            is_fine = top in sys.stdlib_module_names or (listed and top not in rule.never)
        if not is_fine:
            found.append(f"{module}:{line} imports {name}")
    return found


def unsafe_calls(source: str) -> list[str]:
    """Calls that can run code hidden in data, or that open the door to it."""
    tree = ast.parse(source)
    names: dict[str, str] = {}  # what a local name stands for
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    never = {f"{m}.{f}" for m in ("pickle", "cloudpickle", "dill") for f in ("load", "loads", "Unpickler")}
    never |= {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "joblib.load"}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        head, *tail = ast.unparse(node.func).split(".")
        name = ".".join([names.get(head, head), *tail])
        keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
        if name in never:
            found.append(f"{node.lineno}: {name}")
        if name == "torch.load" and keywords.get("weights_only") != "True":
            found.append(f"{node.lineno}: torch.load without weights_only=True")
        for switch in ("trust_remote_code", "allow_pickle"):
            if keywords.get(switch, "False") != "False":
                found.append(f"{node.lineno}: {switch}={keywords[switch]}")
    return found


def guessed_attributes(source: str) -> list[str]:
    """`hasattr(x, …)` and `getattr(x, …, default)`: in the core, what an object has is known."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    names = [(c.lineno, c.func.id, len(c.args)) for c in calls if isinstance(c.func, ast.Name)]
    return [f"{line}: {name}" for line, name, n in names if name == "hasattr" or (name == "getattr" and n == 3)]


def is_vague(name: str) -> bool:
    """Whether a file or folder is named after nothing in particular."""
    return Path(name).stem.strip("_").lower() in {"utils", "util", "misc", "helpers", "helper", "common"}


def n_lines(source: str) -> int:
    return len(source.splitlines())


def sources(*folders: str) -> dict[Path, str]:
    """Text of every Python file below `folders`, by path from the root; "." is the root's own files."""
    found: dict[Path, str] = {}
    for folder in folders:
        files = ROOT.glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py")
        found |= {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted(files)}
    return found


def test_packages_import_only_what_their_layer_allows():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        found += forbidden_imports(path.read_text(encoding="utf-8"), module, is_package=is_package)
    assert not found, "\n".join(found)


def test_every_package_has_a_row_in_the_table():
    packages = {p.name for p in PACKAGE.iterdir() if p.is_dir() and list(p.glob("*.py"))}
    modules = {p.stem for p in PACKAGE.glob("*.py")}
    assert packages | modules <= LAYERS.keys()


def test_no_module_is_loose_at_the_top():
    assert {p.name for p in PACKAGE.glob("*.py")} == {"__init__.py", "errors.py"}


def test_no_file_is_too_long_and_most_are_short():
    lengths = {path: n_lines(text) for path, text in sources("src", "tests", ".").items()}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}
    assert statistics.median(n for path, n in lengths.items() if path.parts[0] == "src") <= MAX_MEDIAN


def test_entry_scripts_are_thin():
    lengths = {path.name: n_lines(text) for path, text in sources(".").items()}
    assert {name: n for name, n in lengths.items() if n > MAX_ENTRY} == {}


def test_nothing_has_a_vague_name():
    folders = [ROOT / name for name in ("src", "tests", "conf", "sweeps", "docs", "benchmarks", "notebooks")]
    paths = [*ROOT.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    assert [path.relative_to(ROOT) for path in paths if is_vague(path.name)] == []


def test_nothing_loaded_may_run_code():
    found = {path: unsafe_calls(text) for path, text in sources("src", "tests", "benchmarks", ".").items()}
    own = Path("tests", "api", "test_inject.py")  # reads back what it pickled in the line before
    assert {path: calls for path, calls in found.items() if calls and path != own} == {}


def test_the_core_knows_what_its_objects_have():
    core = sources("src/unidelta/design", "src/unidelta/deltas")
    found = {path: guessed_attributes(text) for path, text in core.items()}
    assert {path: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    ("module", "source", "is_refused"),
    [
        ("unidelta.design.spec", "import enum\nfrom unidelta.errors import DesignError", False),
        ("unidelta.design.spec", "from .axes import Slot", False),
        ("unidelta.records.record", "import torch", True),
        ("unidelta.design.spec", "def lazily():\n    from omegaconf import DictConfig", True),
        ("unidelta.records.record", "import importlib\nimportlib.import_module('torch')", True),
        ("unidelta.design.spec", "from unidelta import __version__", False),
        ("unidelta.design.spec", "from unidelta.forms import prefix", True),
        ("unidelta.deltas.delta", "import torch.nn.functional as F\nfrom unidelta.design import Form", False),
        ("unidelta.deltas.delta", "from unidelta import families", True),
        ("unidelta.deltas.delta", "from ..fast import attention", True),
        ("unidelta.families.bart", "import torch", True),
        ("unidelta.forms.prefix", "import torch", True),
        ("unidelta.injection.inject", "from unidelta.fast import switch", True),
        ("unidelta.hosts.bart", "from transformers.models.bart import modeling_bart", False),
        ("unidelta.tasks.sources", "def mini():\n    from unidelta.mini import rows", False),
        ("unidelta.tasks.glue", "import hydra", True),
        ("unidelta.records.store", "import numpy", True),
        ("unidelta.config.schema", "from omegaconf import MISSING", False),
        ("unidelta.config.resolve", "from unidelta.run.run import run", True),
        ("unidelta.analysis.frame", "import pandas\nfrom unidelta.records import load", False),
        ("unidelta.analysis.frame", "import transformers", True),
        ("unidelta.cli.train", "import hydra, torch\nfrom unidelta.families import inject", False),
        ("unidelta", "import hydra", True),
        ("unidelta.injection.saved", "import hydra", True),
    ],
)
def test_the_import_rule_tells_allowed_from_forbidden(module: str, source: str, is_refused: bool):
    assert bool(forbidden_imports(source, module, is_package=module == "unidelta")) is is_refused


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("import pickle\npickle.load(file)", True),
        ("from pickle import loads as read\nread(data)", True),
        ("import pickle\npickle.dumps(data)", False),
        ("import torch\ntorch.load(path)", True),
        ("from torch import load\nload(path, weights_only=False)", True),
        ("import torch as t\nt.load(path, weights_only=True)", False),
        ("import yaml\nyaml.load(text, Loader=yaml.SafeLoader)", True),
        ("import yaml\nyaml.safe_load(text)", False),
        ("AutoModel.from_pretrained(name, trust_remote_code=True)", True),
        ("AutoModel.from_pretrained(name, trust_remote_code=flag)", True),
        ("numpy.load(path, allow_pickle=True)", True),
        ("numpy.load(path, allow_pickle=False)", False),
    ],
)
def test_the_safety_rule_tells_safe_from_unsafe(source: str, is_refused: bool):
    assert bool(unsafe_calls(source)) is is_refused


def test_the_attribute_rule_tells_known_from_guessed():
    assert guessed_attributes("hasattr(x, 'a')\ngetattr(x, 'a', None)") == ["1: hasattr", "2: getattr"]
    assert guessed_attributes("getattr(x, name)\nx.hasattr('a')") == []


def test_the_naming_and_length_rules_tell_good_from_bad():
    assert [is_vague(n) for n in ("utils.py", "_helpers", "common", "compose.py", "commonsense.py")] == [True] * 3 + [
        False
    ] * 2
    assert (n_lines("x\n" * MAX_LINES), n_lines("x\n" * MAX_LINES + "x")) == (MAX_LINES, MAX_LINES + 1)
