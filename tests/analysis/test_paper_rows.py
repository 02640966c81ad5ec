"""Every published row stands for one design: what is typed for it composes to a run that counts for it alone."""

from pathlib import Path

import pytest

from unidelta.analysis.commands import seeds
from unidelta.analysis.names import task_in_records
from unidelta.analysis.paper_rows import key_of_row, side_of_spec, words_of_key
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.tables import COPIED
from unidelta.run.prepare import prepare
from unidelta.sweeps.plan import jobs, read_lines
from unidelta.sweeps.planned import prepared

from ..composed import composed

ROOT = Path(__file__).parents[2]
KEYS = [(row, key_of_row(row)) for row in published(ROOT / FIGURES).to_dict("records")]
ROWS = [row for row, key in KEYS if key != COPIED]
SIDES = sorted({(key, task_in_records(row["task"])) for row, key in KEYS if key != COPIED})
FEW = sorted({key: task for key, task in SIDES}.items())[::4]  # half a second each
SWEEPS = {f"{kind} {n}": f"{short}{n}" for kind, short in (("Table", "table"), ("Figure", "fig")) for n in range(2, 13)}
SMALL = ("Table 5",)
ARTEFACTS = sorted({row["artefact"] for row in ROWS})


def key_of(words: str, task: str, scale: str) -> str:
    spec = prepare(composed([*words.split(), f"task={task}", f"scale={scale}"]))
    return side_of_spec(spec.scientific())[1]


@pytest.mark.parametrize(("key", "task"), FEW)
def test_what_is_typed_for_a_key_is_a_run_of_this_key(key, task):
    assert key_of(words_of_key(key), task, "mini") == key


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize(("key", "task"), SIDES)
def test_what_is_typed_for_a_key_is_a_run_of_this_key_on_every_task_and_scale(key, task, scale):
    assert key_of(words_of_key(key), task, scale) == key


def in_sweep(artefact: str) -> set[tuple[str, str, int]]:
    """Key, task and seed of every job of the artefact's sweep at the paper's scale."""
    planned = prepared(jobs(read_lines(SWEEPS[artefact], [ROOT / "sweeps"]), ["scale=paper"]))
    return {(side_of_spec(spec.scientific())[1], spec.task.name, spec.seed) for _, _, spec in planned}


def in_paper(artefact: str) -> set[tuple[str, str, int]]:
    found = set()
    for row in ROWS:
        if row["artefact"] == artefact:
            wanted = seeds(artefact, scale="paper", has_spread=bool(row["std"])) or (42,)
            found |= {(key_of_row(row), task_in_records(row["task"]), seed) for seed in wanted}
    return found


@pytest.mark.parametrize("artefact", SMALL)
def test_a_sweep_runs_what_its_table_or_figure_shows(artefact):
    assert in_sweep(artefact) == in_paper(artefact)


@pytest.mark.slow
@pytest.mark.parametrize("artefact", [name for name in ARTEFACTS if name not in SMALL])
def test_every_sweep_runs_what_its_table_or_figure_shows(artefact):
    assert in_sweep(artefact) == in_paper(artefact)


@pytest.mark.parametrize(
    "words",
    [
        "method=prefix budget=percent budget.percent=6.7",  # another size than the paper's 200
        "method=parallel_adapter method.ffn.init=lora",
        "method=scaled_parallel_adapter composition.scale=2",
        "method=lora position=ffn composition.scale=2",
        "method=lora position=attn method.attn.bottleneck=200 position=both",
    ],
)
def test_other_designs_count_for_no_row(words):
    assert key_of(words, "xsum", "mini") == ""


def test_the_method_is_known_at_any_size(real):
    prefix, frozen = (real[(name, "xsum", 31)].spec for name in ("prefix", "frozen"))
    assert side_of_spec(prefix) == ("prefix", "")
    assert side_of_spec(frozen) == ("frozen", "frozen")


def test_a_row_says_its_key():
    by_label = {(row["artefact"], row["label"], row["task"]): key_of_row(row) for row in ROWS}
    assert by_label[("Table 5", "LoRA (6.1%), s=1", "xsum")] == "lora_ffn@102[s=1]"
    assert by_label[("Table 6", "Prompt tuning", "xsum")] == "prompt@300"
    assert by_label[("Table 6", "Prompt tuning", "wmt16_en_ro")] == "prompt@200"
    assert by_label[("Table 2", "Adapter (0.5%)", "mnli")] == "adapter_houlsby@16;16"
    assert by_label[("Figure 2", "Ours", "xsum")] == "mam@30;512"
