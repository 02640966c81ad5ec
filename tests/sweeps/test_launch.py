"""Names of logs, and the launcher that is chosen by overrides."""

from pathlib import Path

import pytest

from unidelta.errors import ConfigError, Problems
from unidelta.sweeps.launch import launcher, log_name
from unidelta.sweeps.plan import Job
from unidelta.sweeps.pool import Pool


def test_a_log_is_called_what_the_job_is_called_without_the_folder_it_is_in():
    assert log_name(Job(("method=mam", "seed=1", "results_dir=some/where"))) == "method=mam_seed=1"
    assert log_name(Job(())) != ""


def test_logs_whose_names_had_to_be_changed_stay_apart():
    lists = [log_name(Job((f"method.attn.targets={value}",))) for value in ("[query]", "{query}")]
    long = [log_name(Job((*["training.max_steps=4"] * 20, f"seed={seed}"))) for seed in (1, 2)]
    assert len({*lists, *long}) == 4
    for name in (*lists, *long):
        assert len(name) < 140 and "/" not in name and "[" not in name


def test_the_pool_is_what_is_chosen_where_nobody_chooses(tmp_path: Path):
    assert launcher([], folder=tmp_path).pool == Pool()
    typed = ["hydra.launcher.gpus=[0,1]", "hydra.launcher.timeout_s=60", "hydra.launcher.reuse=true"]
    chosen = launcher(typed, folder=tmp_path)
    assert chosen.pool == Pool(gpus=("0", "1"), timeout_s=60.0, reuse=True)
    assert Path(chosen.config.hydra.sweep.dir) == tmp_path


def test_another_launcher_is_hydras(tmp_path: Path):
    assert launcher(["hydra/launcher=basic"], folder=tmp_path).pool is None


@pytest.mark.parametrize("typed", ["hydra/launcher=nothing", "hydra.launcher.wrokers=2", "hydra.launcher.workers=many"])
def test_an_unknown_launcher_or_option_is_refused(typed: str, tmp_path: Path):
    with pytest.raises(ConfigError):
        launcher([typed], folder=tmp_path)


def test_an_option_out_of_range_is_refused(tmp_path: Path):
    with pytest.raises(Problems):
        launcher(["hydra.launcher.workers=0"], folder=tmp_path)
