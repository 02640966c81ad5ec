"""The authors' numbers compared with ours, for every method that runs there: logits, losses, gradients, generation.

The fast tier takes one file per form and family; `-m slow` takes all.
"""

from pathlib import Path

import pytest

from unidelta.errors import DataError
from unidelta.fidelity.golden import TOLERANCES, compare, golden_files

GOLDEN = Path(__file__).parents[1] / "golden"
ALL = sorted(path.stem for path in GOLDEN.glob("*.json"))
CANNOT_RUN = {"bart.pfeiffer", "roberta.prefix_gate_ln", "roberta.prefix_gate_noln", "roberta.prompt_tuning"}
FAST = (
    "bart.mam bart.mh_pa_attn bart.prefix_gate_ln bart.pa_attn bart.prompt_tuning mbart.pfeiffer mbart.houlsby "
    "mbart.spa_ffn_learnable roberta.prefix_lora_ffn roberta.mh_pa_attn_nomlp roberta.pa_attn_pa_ffn roberta.bitfit"
).split()


def test_the_folder_holds_every_file_with_its_numbers():
    assert len(ALL) == 90
    assert set(ALL) >= {*FAST, *CANNOT_RUN}
    assert {path.stem for path in golden_files(GOLDEN)} == set(ALL)
    with_numbers = {path.stem for path in GOLDEN.glob("*.safetensors")}
    assert with_numbers == set(ALL) - CANNOT_RUN
    assert {name.split(".")[0] for name in with_numbers} == {"bart", "mbart", "roberta"}


def test_tolerances_are_tight():
    """Double precision where the authors' numbers are in double, the storage's own precision elsewhere."""
    assert TOLERANCES == {"logits": 1e-10, "loss": 1e-10, "smoothed loss": 1e-5, "hidden": 1e-5, "gradients": 1e-5}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in ALL if name not in CANNOT_RUN],
)
@pytest.mark.parametrize("fast", [pytest.param(False, marks=pytest.mark.slow), True])
def test_our_numbers_are_the_authors(name, fast):
    comparison = compare(GOLDEN / f"{name}.json", fast=fast)
    assert comparison.wrong == []
    assert {key: error for key, error in comparison.errors.items() if error > TOLERANCES[key]} == {}
    expected = set(TOLERANCES) - (set() if name.startswith(("bart", "mbart")) else {"smoothed loss"})
    assert comparison.errors.keys() == expected
    assert comparison.passed


@pytest.mark.parametrize("name", sorted(CANNOT_RUN))
def test_what_the_authors_code_cannot_run_is_skipped_and_never_passes(name):
    comparison = compare(GOLDEN / f"{name}.json")
    assert comparison.skipped.startswith("the authors' code ")
    assert comparison.skipped.endswith("builds here") == (name != "roberta.prompt_tuning")
    assert comparison.errors == {}
    assert not comparison.passed


def test_a_folder_without_golden_files_is_refused(tmp_path):
    with pytest.raises(DataError) as refusal:
        golden_files(tmp_path)
    assert str(refusal.value) == (
        f"You asked:  golden files in {tmp_path}\n"
        "Why not:    there is no *.json in that folder\n"
        "Instead:    the folder of the golden files, tests/golden"
    )
