"""Every command of the documents is run or composed, every link leads somewhere, and no text says too much."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from wandb.cli.cli import cli as wandb

from unidelta.analysis.command import main as report
from unidelta.config.compose import compose
from unidelta.config.overrides import check
from unidelta.config.resolve import published_architecture, resolve
from unidelta.errors import ExitStatus, UserError
from unidelta.extensions.paths import CONF
from unidelta.fidelity.__main__ import main as fidelity
from unidelta.mini.__main__ import main as mini
from unidelta.sweeps.plan import jobs, read_lines, shard
from unidelta.tasks.__main__ import main as tasks
from unidelta.tasks.registry import TASKS

ROOT = CONF.parent
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
EXAMPLES = "extending.md"  # the commands of this page need its files: test_extending.py runs them
MACHINE = r"(?<![\w.~:])/(?:work|home|root|tmp|mnt|Users|opt|srv|scratch|data)/|\b(?:\d{1,3}\.){3}\d{1,3}\b"
UNFINISHED = r"\b(?:TODO|FIXME|XXX|TBD|WIP)\b|lorem ipsum|(?i:\bas an ai\b|language model assistant)"
BOASTS = r"(?i:\b(?:blazing\w*|seamless\w*|cutting-edge|revolutionary|effortless\w*|world-class)\b)"


def commands() -> Iterator[tuple[str, str]]:
    """(place, command) of every line in a bash block."""
    for path in (path for path in DOCUMENTS if path.name != EXAMPLES):
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 2
            for command in found[1].replace("\\\n", " ").splitlines():
                if command.split("#")[0].strip():
                    yield f"{path.relative_to(ROOT)}:{line}", command
                line += 1


def expand(arguments: list[str]) -> list[list[str]]:
    """The jobs of `-m`: every choice of every sweep."""
    values = []
    for argument in arguments:
        override = OverridesParser.create().parse_override(argument)
        key = override.key_or_group
        swept = override.sweep_string_iterator() if override.is_sweep_override() else None
        values.append([argument] if swept is None else [f"{key}={value}" for value in swept])
    return [list(job) for job in itertools.product(*values)]


def check_train(arguments: list[str]) -> None:
    arguments = [argument for argument in arguments if argument not in ("-m", "--multirun")]
    check([argument for argument in arguments if not argument.startswith("hydra/launcher=")])  # they come with extras
    for job in expand([a for a in arguments if not a.startswith("hydra")]):
        config = compose(job)
        architecture = published_architecture(config.backbone, n_labels=TASKS[config.task.name].n_labels)
        resolve(config, architecture=architecture, published=architecture)


def check_fidelity(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        fidelity([arguments[0], "--help"])  # the whole takes a minute; tests/fidelity runs what it needs
    assert stopped.value.code == 0
    assert all((ROOT / folder).is_dir() for folder in arguments[1:])


def check_design_space(arguments: list[str]) -> None:
    assert arguments in ([], ["--write"])  # the document itself: test_design_space.py


def check_make(arguments: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    words = [argument for argument in arguments if "=" not in argument]
    assert set(words) <= set(targets), f"the Makefile has {', '.join(targets)}"


def check_mini(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        mini([*arguments, "--help"])  # known words and values; tests/mini runs what they do
    assert stopped.value.code == 0


def check_tasks(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        tasks([*arguments, "--help"])  # known words and values; tests/tasks runs what they do
    assert stopped.value.code == 0
    assert Path(arguments[1]).suffix == ".jsonl" and set(arguments) & set(TASKS), "a file of predictions, and its task"


def check_report(arguments: list[str]) -> None:
    assert report([*arguments, "--output", "nowhere", "--check"]) in (ExitStatus.DONE, ExitStatus.FAILED)


def check_sweep(arguments: list[str]) -> None:
    options = [argument for argument in arguments[1:] if argument.startswith("--") or "=" not in argument]
    overrides = [argument for argument in arguments[1:] if argument not in options]
    check([word for word in overrides if not word.startswith("hydra/launcher=")])  # they come with extras
    every = jobs(read_lines(arguments[0], [ROOT / "sweeps"]), [o for o in overrides if not o.startswith("hydra")])
    compose(every[0].overrides)
    names = {"--list": 0, "--shard": 1, "--workers": 1}
    while options:
        option = options.pop(0)
        values = [options.pop(0) for _ in range(names[option])]
        assert option != "--shard" or shard(every, *values)


def check_pytest(arguments: list[str]) -> None:
    for argument in arguments:
        assert not argument.startswith("tests/") or (ROOT / argument.split("::")[0]).exists()


def check_command(command: str) -> None:
    """Refuse a command that would not work, or of which nobody has said how it is checked."""
    words = shlex.split(command, comments=True)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):  # variables in front
        words.pop(0)
    program = Path(words[0]).name
    match [program, *words[1:]]:
        case ["python", "train.py", *rest]:
            check_train(rest)
        case ["torchrun", "--nproc_per_node", number, "train.py", *rest] if number.isdecimal():
            check_train(rest)
        case ["python", "-m", "unidelta.fidelity", *rest]:
            check_fidelity(rest)
        case ["python", "-m", "unidelta.config.design_space", *rest]:
            check_design_space(rest)
        case ["python", "-m", "unidelta.mini", *rest]:
            check_mini(rest)
        case ["python", "-m", "unidelta.tasks", *rest]:
            check_tasks(rest)
        case [
            "python",
            "-m",
            "unidelta.analysis.tuning" | "unidelta.analysis.miniature" | "unidelta.analysis.published",
            *rest,
        ]:
            assert set(rest) <= {"--write"}
        case ["python", "report.py", *rest]:
            check_report(rest)
        case ["python", "sweep.py", *rest]:
            check_sweep(rest)
        case ["python", "-m", "pytest", *rest]:
            check_pytest(rest)
        case ["python", script, *_] if script.endswith(".py"):
            assert (ROOT / script).is_file(), f"there is no {script}"
        case ["make", *rest]:
            check_make(rest)
        case ["wandb", command, *_]:
            assert command in wandb.commands
        case ["tensorboard", "--logdir", _] | ["pip", "install", "tensorboard"]:
            pass
        case ["cd" | "git" | "cat" | "ls" | "head", *_]:
            pass
        case _:
            pytest.fail(f"tests/docs/test_docs.py does not know how to check `{command}`")


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    for name in re.findall(r"`((?:src|tests|conf|docs)/[\w./-]+)`", text):
        if not (ROOT / name).exists():
            broken.append(name)
    return broken


@pytest.mark.parametrize(("place", "command"), list(commands()), ids=str)
def test_a_command_of_the_documents_works(place, command):
    check_command(command)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_exist(path):
    assert broken_links(path) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_machine_is_unfinished_or_boasts(path):
    text = path.read_text(encoding="utf-8")
    assert [found[0] for found in re.finditer(f"{MACHINE}|{UNFINISHED}|{BOASTS}", text)] == []


def test_decisions_are_short_and_complete():
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{i:04}" for i in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 30, record.name
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], record.name


@pytest.mark.parametrize(
    "command",
    [
        "python train.py method=sandwhich",
        "python train.py method=lora composition=gated",
        "python train.py seed=abc",
        "python train.py -m method=lora,mam position=attn,nowhere",
        "python -m unidelta.config.design_space --wrote",
        "python -m unidelta.fidelity count",
        "python -m unidelta.tasks score predictions.jsonl",
        "python -m unidelta.tasks rescore predictions.jsonl --task xsum",
        "python -m unidelta.fidelity golden tests/silver",
        "python sweep.py table7",
        "python sweep.py table3 task=mnli",
        "python sweep.py table3 sede=1",
        "python sweep.py table3 --shard 4/4",
        "make nothing",
        "rm -rf results",
    ],
)
def test_a_command_that_would_not_work_is_noticed(command):
    with pytest.raises((UserError, AssertionError, pytest.fail.Exception)):
        check_command(command)


def test_a_broken_link_and_a_machine_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](page.md#a-b) [y](page.md#c) [z](gone.md) `src/unidelta/gone.py` [w](https://x.y)\n")
    assert broken_links(page) == ["page.md#c", "gone.md", "src/unidelta/gone.py"]
    assert re.findall(MACHINE, "see /home/x and 10.0.0.1, not docs/data/x nor https://a.b/data/") == [
        "/home/",
        "10.0.0.1",
    ]
