"""Every command of the documents is run or composed, every link works, and no text names machines or boasts."""

import contextlib
import io
import re
import runpy
import shlex
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from torch.distributed.run import get_args_parser
from wandb.cli.cli import cli as wandb

from unidelta.analysis.command import main as report
from unidelta.backbones.__main__ import main as backbones
from unidelta.config.overrides import check
from unidelta.config.resolve import published_architecture, resolve
from unidelta.config.resolve_prompt import n_outputs
from unidelta.design.published import stated_architecture
from unidelta.errors import ExitStatus, UserError
from unidelta.extensions.paths import CONF
from unidelta.fidelity.__main__ import main as fidelity
from unidelta.mini.__main__ import main as mini
from unidelta.sweeps.plan import jobs, read_lines, shard
from unidelta.tasks.__main__ import main as tasks

from ..composed import composed

ROOT = CONF.parent
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
EXAMPLES = ("extending.md", "exchange.md")  # their commands need files: test_extending.py, test_exchange.py run them
PAGES = "tuning plan next_look nulls miniature small later prediction published".split()  # of unidelta.analysis
FOLDERS = "src/unidelta|tests|conf|docs|sweeps|benchmarks|notebooks|results/mini|results/small|results/paper"
MACHINE = r"(?<![\w.~:])/(?:work|home|root|tmp|mnt|Users|opt|srv|scratch|data)/|\b(?:\d{1,3}\.){3}\d{1,3}\b"
torchrun = get_args_parser()
UNFINISHED = r"\b(?:TODO|FIXME|XXX|TBD|WIP)\b|lorem ipsum|(?i:\bas an ai\b|language model assistant)"
BOASTS = r"(?i:\b(?:blazing\w*|seamless\w*|cutting-edge|revolutionary|effortless\w*|world-class)\b)"


def without_extras(words: list[str]) -> list[str]:  # launchers, and their keys
    skipped = ("hydra/launcher=", "hydra.launcher.") if any("hydra/launcher=" in word for word in words) else ()
    return [word for word in words if not word.startswith(skipped)]


def commands() -> Iterator[tuple[str, str]]:
    """(place, command) of every line in a bash block."""
    for path in (path for path in DOCUMENTS if path.name not in EXAMPLES):
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 2
            for command in found[1].replace("\\\n", " ").splitlines():
                if command.split("#")[0].strip():
                    yield f"{path.relative_to(ROOT)}:{line}", command
                line += 1


def expand(arguments: list[str]) -> list[list[str]]:
    """As many jobs of `-m` as give every choice of every sweep a turn."""
    values = []
    for argument in arguments:
        override = OverridesParser.create().parse_override(argument)
        key = override.key_or_group
        swept = override.sweep_string_iterator() if override.is_sweep_override() else None
        values.append([argument] if swept is None else [f"{key}={value}" for value in swept])
    n_jobs = max(map(len, values), default=1)
    return [list(job) for job in zip(*(islice(cycle(each), n_jobs) for each in values), strict=True)] or [[]]


def assert_read(main: Callable[[list[str]], object], arguments: list[str]) -> None:
    """A program accepts these arguments: the only error is an extra one."""
    with contextlib.redirect_stderr(io.StringIO()) as told, contextlib.suppress(SystemExit):
        main([*arguments, "--one-more"])
    assert "unrecognized arguments: --one-more\n" in told.getvalue()


def check_train(arguments: list[str]) -> None:
    arguments = [argument for argument in arguments if argument not in ("-m", "--multirun")]
    check(without_extras(arguments))
    for job in expand([a for a in arguments if not a.startswith("hydra")]):
        config = composed(tuple(job))
        architecture = published_architecture(config.backbone, n_labels=n_outputs(config))
        measure = config.backbone.bottlenecks_of
        published = stated_architecture(measure, n_labels=architecture.n_labels) if measure else architecture
        resolve(config, architecture=architecture, published=published)


def check_fidelity(arguments: list[str]) -> None:
    assert_read(fidelity, arguments)  # the whole takes a minute; tests/fidelity runs what it needs
    assert all((ROOT / folder).is_dir() for folder in arguments[1:])


def check_design_space(arguments: list[str]) -> None:
    assert arguments in ([], ["--write"])  # the document itself: test_design_space.py


def check_make(arguments: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    words = [argument for argument in arguments if "=" not in argument]
    assert set(words) <= set(targets), f"the Makefile has {', '.join(targets)}"


def check_mini(arguments: list[str]) -> None:
    assert_read(mini, arguments)  # tests/mini runs what they do


def check_tasks(arguments: list[str]) -> None:
    assert_read(tasks, arguments)  # tests/tasks runs what they do
    assert Path(arguments[1]).suffix == ".jsonl", "a file of predictions"


def check_report(arguments: list[str]) -> None:
    if arguments[0] in ("board", "curve", "compare"):
        written = [] if arguments[0] != "curve" else ["--output", str(Path(tempfile.mkdtemp()) / "curve.png")]
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()) as told:
            assert report([*arguments, *written]) is ExitStatus.DONE
        assert "runs shown." in told.getvalue()
        return
    if set(arguments) <= {"all", "--check"}:
        assert_read(report, arguments)  # takes seconds, and test_report.py in tests/analysis does it
    else:
        # there are no runs at the paper's scale, so its tables are there only where somebody made them
        is_there = "paper" not in arguments or (ROOT / "results" / "paper" / "tables" / f"{arguments[0]}.md").exists()
        expected = ExitStatus.DONE if is_there else ExitStatus.FAILED
        assert reported(tuple(arguments)) is expected, "what is committed is not what this would write"


@cache
def reported(arguments: tuple[str, ...]) -> ExitStatus:
    with contextlib.chdir(ROOT):
        return report([*arguments, "--check"])


def check_script(script: str, arguments: list[str]) -> None:
    """A script that measures for minutes: it is there, can be imported, and knows these words."""
    assert (ROOT / script).is_file(), f"there is no {script}"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str((ROOT / script).parent))
        assert_read(runpy.run_path(str(ROOT / script))["main"], arguments)


def check_sweep(arguments: list[str]) -> None:
    options = [argument for argument in arguments[1:] if argument.startswith("--") or "=" not in argument]
    overrides = [argument for argument in arguments[1:] if argument not in options]
    check(without_extras(overrides))
    every = jobs(read_lines(arguments[0], [ROOT / "sweeps"]), [o for o in overrides if not o.startswith("hydra")])
    composed(tuple(every[0].overrides))
    names = {"--list": 0, "--prefetch": 0, "--shard": 1, "--workers": 1}
    while options:
        option = options.pop(0)
        values = [options.pop(0) for _ in range(names[option])]
        assert option != "--shard" or shard(every, *values)


def check_pytest(arguments: list[str]) -> None:
    for argument in arguments:
        assert not argument.startswith("tests/") or (ROOT / argument.split("::")[0]).exists()


def check_command(command: str) -> None:
    """Refuse a command that would not work, or for which there is no check."""
    words = shlex.split(command, comments=True)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):  # variables in front
        words.pop(0)
    program = Path(words[0]).name
    match [program, *words[1:]]:
        case ["python", "train.py", *rest]:
            check_train(rest)
        case ["torchrun", *options] if "train.py" in options:
            at = options.index("train.py")
            torchrun.parse_args(options[: at + 1])
            check_train(options[at + 1 :])
        case ["python", "-m", "unidelta.fidelity", *rest]:
            check_fidelity(rest)
        case ["python", "-m", "unidelta.config.design_space", *rest]:
            check_design_space(rest)
        case ["python", "-m", "unidelta.mini", *rest]:
            check_mini(rest)
        case ["python", "-m", "unidelta.tasks", *rest]:
            check_tasks(rest)
        case ["python", "-m", "unidelta.backbones", *rest]:
            assert_read(backbones, rest)  # tests/backbones does what it does
        case ["python", "-m", module, *rest] if module.removeprefix("unidelta.analysis.") in PAGES:
            assert set(rest) <= {"--write"}
        case ["python", "report.py", *rest]:
            check_report(rest)
        case ["python", "sweep.py", *rest]:
            check_sweep(rest)
        case ["python", "-m", "pytest", *rest]:
            check_pytest(rest)
        case ["python", "benchmarks/table.py", *rest]:
            assert rest in ([], ["--write"])  # the page itself: test_performance.py
        case ["python", script, *rest] if script.endswith(".py"):
            check_script(script, rest)
        case ["make", *rest]:
            check_make(rest)
        case ["wandb", command, *_]:
            assert command in wandb.commands
        case ["tensorboard", "--logdir", _] | ["pip", "install", "tensorboard"]:
            pass
        case ["cd" | "git" | "cat" | "ls" | "head", *_] | ["python", "-m", "unidelta", "tour"]:
            pass  # tests/end_to_end takes the tour
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
    for name in re.findall(rf"`((?:{FOLDERS})/[^`\s]*)`", text):
        if not any(ROOT.glob(re.sub(r"<[^>]*>|\b[A-Z]+\b", "*", name))):  # a <name> and a NAME stand for any
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
        "python -m unidelta.tasks score predictions.csv",
        "python -m unidelta.tasks rescore predictions.jsonl --task xsum",
        "python -m unidelta.fidelity golden tests/silver",
        "python sweep.py table7",
        "python sweep.py table3 task=mnli",
        "python sweep.py table3 sede=1",
        "python sweep.py table3 --shard 4/4",
        "python benchmarks/sped.py",
        "python benchmarks/speed.py --peer x --piers y",
        "python report.py table7",
        "python report.py all --chekc",
        "make nothing",
        "rm -rf results",
    ],
)
def test_a_command_that_would_not_work_is_noticed(command):
    with pytest.raises((UserError, AssertionError, pytest.fail.Exception, SystemExit)):
        check_command(command)


def test_a_broken_link_and_a_machine_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    links = "[x](page.md#a-b) [y](page.md#c) [z](gone.md) [w](https://x.y)"
    paths = "`conf/<group>/gone.yaml` `conf/method/<name>.yaml` `sweeps/NAME.yaml` `docs/`"
    page.write_text(f"# A b\n{links} `src/unidelta/gone.py` {paths}\n")
    assert broken_links(page) == ["page.md#c", "gone.md", "src/unidelta/gone.py", "conf/<group>/gone.yaml"]
    assert re.findall(MACHINE, "see /home/x and 10.0.0.1, not docs/data/x nor https://a.b/data/") == [
        "/home/",
        "10.0.0.1",
    ]
