"""The shape of the code base, read from its source: who imports whom, sizes, names, calls never made.

Each rule is a function over source text, with examples of what it refuses and of what it lets through.
"""

import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "unidelta"
MAX_LINES, MAX_MEDIAN, MAX_ENTRY = 300, 150, 25


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


PRIVATE_OF = {"transformers", "accelerate", "hydra", "omegaconf", "wandb", "datasets", "tokenizers", "huggingface_hub"}


def private_names(source: str) -> list[str]:
    """Private names of the libraries: imported, or reached by attribute from what was imported of them."""
    names: dict[str, str] = {}  # what a local name stands for
    found = []
    tree = ast.parse(source)
    for line, name in imported(source, "unidelta.some.module"):
        top, *rest = name.split(".")
        if top in PRIVATE_OF and any(is_private(part) for part in rest):
            found.append(f"{line}: {name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            head = ast.unparse(node.value).split(".")[0].split("(")[0]
            if names.get(head, "").split(".")[0] in PRIVATE_OF:
                found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


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


def full_stops(source: str) -> list[str]:
    """Reasons that end like a sentence: texts named `why` or `what`, and the second text of an error."""
    reasons: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Name(id="why" | "what"), *_]) | ast.AugAssign(target=ast.Name(id="why")):
                reasons.append(node.value)
            case ast.Call(args=[_, reason, _]) if ast.unparse(node.func).endswith(("Error", "Weights", "Deltas")):
                reasons.append(reason)
            case ast.Call(args=[reason, _]) if ast.unparse(node.func).endswith(".add_whole"):
                reasons.append(reason)
            case ast.keyword(arg="what", value=reason):
                reasons.append(reason)
    return [f"{each.lineno}: {ast.unparse(each)}" for each in reasons if ast.unparse(each)[:-1].endswith(".")]


def is_vague(name: str) -> bool:
    """Whether a file or folder has a vague name."""
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


def contracts(folder: Path) -> str:
    """What import-linter says of the package in a folder, by the contracts of pyproject.toml."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_packages_import_only_what_the_contracts_allow():
    assert re.search(r"\d+ kept, 0 broken", said := contracts(ROOT)), said


# file, what is written at its end, the contract, and the import that its breach is told with
FORBIDDEN = (
    (
        "design/spec",
        "def late():\n    from unidelta.families import bart",
        "A room knows only",
        "unidelta.families.bart",
    ),
    ("tasks/rows", "from unidelta.training import spec", "A room knows only", "unidelta.training.spec"),
    ("records/record", "import torch", "Facts need no torch", "torch"),
    ("forms/prefix", "import torch.nn.functional", "Facts need no torch", "torch"),
    ("run/prepare", "def late():\n    import torch", "Facts need no torch", "torch"),
    ("run/execute", "from omegaconf import DictConfig", "Hydra and OmegaConf", "omegaconf"),
    ("analysis/frame", "import transformers", "Records, analysis", "transformers"),
    ("analysis/frame", "from unidelta.tasks import rows", "Analysis reads records", "unidelta.tasks.rows"),
    ("injection/inject", "from unidelta.fast import switch", "The equation knows", "unidelta.fast.switch"),
)


def test_a_forbidden_import_breaks_its_contract(tmp_path: Path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, source, _, _ in FORBIDDEN:
        with (tmp_path / "src" / "unidelta" / f"{file}.py").open("a", encoding="utf-8") as stream:
            stream.write(f"\n{source}\n")
    _, *told = re.split(r"^(\w[^\n]*)\n-+$", contracts(tmp_path).partition("Broken contracts")[2], flags=re.MULTILINE)
    breaches = dict(zip(told[::2], told[1::2], strict=True))
    for file, _, contract, imported in FORBIDDEN:
        (breach,) = (text for title, text in breaches.items() if title.startswith(contract))
        assert f"unidelta.{file.replace('/', '.')} -> {imported} (" in breach, contract


def test_no_private_name_of_a_library_is_used():
    found = {path: private_names(text) for path, text in sources("src").items()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("from hydra._internal.utils import get_args_parser", True),
        ("import hydra._internal.hydra as inner", True),
        ("from transformers.trainer_utils import _private", True),
        ("def late():\n    import wandb\n    wandb.sdk._x()", True),
        ("import importlib\nimportlib.import_module('hydra._internal')", True),
        ("import transformers as hf\nhf.Trainer._save(1)", True),
        ("from transformers import Trainer\nTrainer(args)._save()", True),
        ("from hydra import compose\ncompose.__name__", False),
        ("import transformers\nself._save = transformers.Trainer", False),
    ],
)
def test_the_privacy_rule_tells_private_from_public(source: str, is_refused: bool):
    assert bool(private_names(source)) is is_refused


def test_no_module_is_loose_at_the_top():
    assert {p.name for p in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}


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


def test_reasons_are_no_sentences_where_rows_are_read_and_models_trained():
    rooms = sources("src/unidelta/tasks", "src/unidelta/training")
    found = {path: full_stops(text) for path, text in rooms.items()}
    assert {path: reasons for path, reasons in found.items() if reasons} == {}


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("why = 'it is late.'", True),
        ("why += f'; {n} more.'", True),
        ("what, instead = f'{x} is late', 'x.'", False),
        ("raise ConfigError(asked, f'{n} are {late}.', instead)", True),
        ("raise ConfigError('x.', f'{n} are late', 'y.')", False),
        ("faults.add(row=1, what='the line is long.', instead='x')", True),
        ("faults.add_whole('the file is long', 'a short one.')", False),
    ],
)
def test_the_full_stop_rule_tells_a_reason_from_the_rest(source: str, is_refused: bool):
    assert bool(full_stops(source)) is is_refused


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
