"""`python sweep.py` and `python train.py -m` as they are typed: refusals, real jobs that die, and Slurm."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from unidelta.run.run import run
from unidelta.sweeps.multirun import multirun

from ..composed import composed
from ..forked import forked

FEW = "task=sst2 task.max_train_examples=4 task.max_eval_examples=4 task.max_test_examples=4"
# `train.py` or `sweep.py`, in which some seeds do what no test could ask of a run: workers import this file too.
FAULTY = """
import os, signal, sys, time
from pathlib import Path
import unidelta.run.run

HEALTHY = unidelta.run.run.run


def meet_three_others():
    Path("gpu-" + os.environ["CUDA_VISIBLE_DEVICES"]).touch()
    while len(list(Path().glob("gpu-*"))) < 4:
        time.sleep(0.05)
    sys.exit(0)


FAULTS = {
    1001: lambda: 1 / 0,
    1002: lambda: sys.exit(3),
    1003: lambda: os.kill(os.getpid(), signal.SIGKILL),
    1004: lambda: time.sleep(600),
    **dict.fromkeys(range(2001, 2006), meet_three_others),
}


def run(config, **more):
    if not os.path.exists("repaired"):
        FAULTS.get(config.seed, lambda: None)()
    return HEALTHY(config, **more)


unidelta.run.run.run = run
if __name__ == "__main__":
    if sys.argv.pop(1) == "sweep.py":
        from unidelta.sweeps.command import main
    else:
        from unidelta.cli.train import main
    sys.exit(main())
"""


@pytest.fixture
def typed(root: Path, environment: dict[str, str], tmp_path: Path):
    """Run one of the programs in a folder of its own, with words after it; by itself if it is faulty."""
    (tmp_path / "faulty.py").write_text(FAULTY)

    def start(program: str, *words: str, faulty: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
        every = " ".join(words).split()
        if not faulty and not more:
            return forked([root / program, *every], tmp_path)
        script = [str(tmp_path / "faulty.py"), program] if faulty else [str(root / program)]
        command, variables = [sys.executable, *script, *every], {**environment, **more}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=900)

    return start


def write_sweep(folder: Path, *lines: str) -> None:
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "some.yaml").write_text(json.dumps(lines))


def records(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.json") if len(path.stem) == 16]


def test_a_job_of_a_multirun_that_cannot_be_keeps_all_from_starting(typed, tmp_path: Path):
    before = set(tmp_path.rglob("*"))
    done = typed("train.py", "-m method=prompt,bitfit task=xsum,sst2 task.source=local")
    assert done.returncode == 2
    assert "Problem 2 of 2" in done.stderr and "the classifier reads the first position" in done.stderr
    assert set(tmp_path.rglob("*")) == before


def test_the_jobs_of_a_multirun_may_have_what_hydras_grammar_has_no_spelling_for(typed, tmp_path: Path):
    done = typed("train.py", "-m method=frozen,lora,lora experiment=null seed=7 dry_run=true results_dir=my#runs")
    assert done.returncode == 0, done.stderr
    assert "multirun     2       0        0" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"faulty.py", "my#runs"}
    (folder,) = (tmp_path / "my#runs" / "logs").iterdir()
    assert len(list(folder.glob("*.log"))) == 2


def test_a_multirun_starts_nothing_for_jobs_that_are_done(typed, tmp_path: Path):
    words = f"method=frozen {FEW} results_dir={tmp_path / 'here'} tracking=none training.progress=false"
    assert run(composed([*words.split(), "seed=7"]), command=["train.py"]) is not None
    done = typed("train.py", "-m seed=7,7", words)
    assert (done.returncode, done.stdout) == (0, "multirun: 1 job, 1 done already, 0 to do\n"), done.stderr
    done = typed("train.py", "-m seed=8,7", words)
    assert done.stdout.startswith("multirun: 2 jobs, 1 done already, 1 to do\n1 worker "), done.stderr
    assert done.stdout.splitlines()[-1].split()[:4] == ["multirun", "1", "0", "1"]
    assert len(records(tmp_path)) == 2 and len(list(tmp_path.rglob("*.log"))) == 1


@pytest.mark.parametrize("word", ["hydra.mode=2", "++hydra.sweeper.params={seed:3}", "hydra.mode='MULTIRUN'"])
def test_jobs_are_asked_for_with_m_alone(word: str, typed, tmp_path: Path):
    done = typed("train.py", f"dry_run=true {word}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 3)
    assert done.stderr.startswith(f"You asked:  {word}") and "-m" in done.stderr


def test_options_that_there_are_not_are_told_with_one_like_them(typed, tmp_path: Path):
    write_sweep(tmp_path, "dry_run=true")
    done = typed("sweep.py", "some --lits --wrokers=2 -j 2 seed=1")
    said = [line.partition(":")[2].strip() for line in done.stderr.splitlines() if line[:8] in ("You aske", "Instead:")]
    assert done.returncode == 2
    assert said == ["--lits", "--list", "--wrokers=2", "--workers", "-j", "python sweep.py --help"]


def test_the_words_of_a_sweep_come_in_any_order_and_with_dashes(typed, tmp_path: Path):
    write_sweep(tmp_path, "dry_run=true seed=7")
    done = typed("sweep.py", "--seed 3 method=lora some --list --task=sst2 --shard 0/1")
    assert done.stdout.splitlines()[1].split() == "to do dry_run=True seed=3 method=lora task=sst2".split()
    done = typed("sweep.py", "some seed=1 table3 --list")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "You asked:  some table3")


@pytest.mark.parametrize("command", ["train.py method=mine", "sweep.py some --list"])
def test_a_file_of_ones_own_that_is_no_yaml_is_told_in_three_lines(command: str, typed, tmp_path: Path):
    write_sweep(tmp_path, "dry_run=true")
    file = tmp_path / "mine" / "method" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("method: {name: mine")
    program, words = command.split(" ", 1)
    done = typed(program, f"{words} --config-dir mine")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 3)
    assert done.stderr.startswith(f"You asked:  the file {file}\nWhy not:    it is not YAML: line 1, column ")


def test_another_machine_gets_no_jobs_but_its_own():
    sent = multirun(["method=mam,lora", "seed=1,2"])
    assert len(sent.checked) == 4
    assert copy.copy(sent).checked == ()  # copies are what pickles make


def test_an_option_of_hydra_is_no_key_of_a_job_whatever_its_sign(typed, tmp_path: Path):
    write_sweep(tmp_path, "dry_run=true seed=1,2")
    listed = typed("sweep.py", "some --list ++hydra.launcher.workers=2")
    assert listed.returncode == 0, listed.stderr
    assert "2 jobs" in listed.stdout and "hydra" not in listed.stdout


def test_the_reader_of_a_list_may_leave_early(typed, environment: dict[str, str], root: Path, tmp_path: Path):
    long = "x" * 200  # 500 such lines are more than a pipe holds
    write_sweep(tmp_path, f"dry_run=true results_dir={long} seed=range(500)")
    command = [sys.executable, str(root / "sweep.py"), "some", "--list"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes) as program:
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.readline() == "some: 500 jobs, 0 done already, 500 to do\n"
        program.stdout.close()
        assert program.stderr.read() == ""
        assert program.wait() == 0


NVIDIA_SMI = """#!/bin/sh
for i in 0 1 2 3 4 5; do echo "GPU $i: NVIDIA H200 (UUID: GPU-$i-$i)"; done
"""


@pytest.mark.parametrize(
    ("program", "restricted", "gpus"),
    [
        pytest.param("sweep.py", "1,3,4,5", ["1", "3", "4", "5"], marks=pytest.mark.slow),
        ("train.py", "GPU-0,2,MIG-a,3,9", ["2", "3", "GPU-0", "MIG-a"]),
    ],
)
def test_on_a_server_with_four_gpus_there_are_four_workers_with_one_each(
    program: str, restricted: str, gpus: list[str], typed, environment: dict[str, str], tmp_path: Path
):
    """Each of five jobs waits until four GPUs are in use at once: three workers would never end, five use another."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvidia-smi").write_text(NVIDIA_SMI)
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    server = {"CUDA_VISIBLE_DEVICES": restricted, "PATH": f"{tmp_path / 'bin'}:{environment['PATH']}"}
    write_sweep(tmp_path, f"method=frozen {FEW} seed=range(2001,2006) results_dir=here")
    words = "some" if program == "sweep.py" else f"-m method=frozen {FEW} seed=range(2001,2006) results_dir=here"
    done = typed(program, words, "hydra.launcher.timeout_s=120", faulty=True, **server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"4 workers on GPU {restricted.removesuffix(',9').replace(',', ', ')}\n" in done.stdout
    assert sorted(path.name.removeprefix("gpu-") for path in tmp_path.glob("gpu-*")) == gpus


@pytest.mark.slow
def test_four_of_six_jobs_of_a_sweep_die_and_the_same_again_does_these_four_alone(typed, tmp_path: Path):
    write_sweep(tmp_path, f"method=frozen {FEW} seed=1001,1,1002,1003,2,1004 results_dir=here")
    first = typed("sweep.py", "some --workers 2 hydra.launcher.timeout_s=90", faulty=True)
    assert first.returncode == 1, first.stderr
    assert len(records(tmp_path)) == 2
    heads, counts = (line.split() for line in first.stdout.splitlines() if line.split()[:1] in (["done"], ["some"]))
    assert (
        dict(zip(heads, counts[1:], strict=False)).items() >= {"done": "2", "failed": "3", "interrupted": "1"}.items()
    )
    for why in ("ZeroDivisionError", "exit status 3", "SIGKILL", "not done within 90 s"):
        assert why in first.stdout
    for seed in (1001, 1002, 1003, 1004):
        (log,) = (tmp_path / "here" / "logs" / "some").glob(f"*seed={seed}*.log")
        assert str(log.relative_to(tmp_path)) in first.stdout
    (tmp_path / "repaired").touch()
    second = typed("sweep.py", "some --workers 2", faulty=True)
    assert second.returncode == 0, second.stderr
    assert "some: 6 jobs, 2 done already, 4 to do" in second.stdout
    assert "4       0        2" in second.stdout
    assert len(records(tmp_path)) == 6
    third = typed("sweep.py", "some")
    assert (third.returncode, third.stdout) == (0, "some: 6 jobs, 6 done already, 0 to do\n")


@pytest.mark.slow
def test_one_of_three_jobs_of_a_multirun_dies(typed, tmp_path: Path):
    words = f"-m method=frozen {FEW} seed=1,1003,2 results_dir=here hydra.launcher.workers=2"
    done = typed("train.py", words, faulty=True)
    assert done.returncode == 1, done.stderr
    assert len(records(tmp_path)) == 2
    assert "failed: python train.py" in done.stdout and "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"faulty.py", "here"}
    (folder,) = (tmp_path / "here" / "logs").iterdir()
    assert len(list(folder.glob("*.log"))) == 3


SBATCH = """#!{python}
import os, re, subprocess, sys
from pathlib import Path
text = Path(sys.argv[-1]).read_text()
first, last = map(int, re.search(r"--array=(\\d+)-(\\d+)", text).groups())
Path("submitted.txt").write_text(text)
for i in range(first, last + 1):
    job = {{"SLURM_JOB_ID": f"77{{i}}", "SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": str(i)}}
    node = {{"SLURM_NTASKS": "1", "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NNODES": "1"}}
    node["SLURM_JOB_NODELIST"] = "node0"
    command = f"bash {{sys.argv[-1]}}; echo $? > ended.{{i}}"
    quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
    subprocess.Popen(command, shell=True, env=os.environ | job | node, start_new_session=True, **quiet)
print("Submitted batch job 77")
"""
SACCT = """#!{python}
import re
from pathlib import Path
last = int(re.search(r"--array=\\d+-(\\d+)", Path("submitted.txt").read_text())[1])
print("JobID|State|NodeList")
for i in range(last + 1):
    path = Path(f"ended.{{i}}")
    status = path.read_text().strip() if path.exists() else ""
    print(f"77_{{i}}|" + {{"": "RUNNING", "0": "COMPLETED"}}.get(status, "FAILED") + "|node0")
"""
SRUN = """#!{python}
import os, sys
words = sys.argv[1:]
while words[0].startswith("-"):
    words = words[2:] if words[0] in ("--output", "--error") else words[1:]
sys.exit(os.spawnvp(os.P_WAIT, words[0], words) & 0xFF)
"""


@pytest.mark.slow
def test_a_sweep_goes_through_slurm(typed, environment: dict[str, str], tmp_path: Path):
    pytest.importorskip("submitit")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"sbatch": SBATCH, "sacct": SACCT, "srun": SRUN, "scontrol": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text.format(python=sys.executable))
        (programs / name).chmod(0o755)
    write_sweep(tmp_path, f"method=frozen {FEW} seed=1,1001,2 results_dir=here")
    path = f"{programs}:{environment['PATH']}"
    refused = typed("sweep.py", "some hydra/launcher=slurm --workers 2", PATH=path)
    assert refused.returncode == 2 and "array_parallelism" in refused.stderr
    done = typed("sweep.py", "some hydra/launcher=slurm hydra.launcher.array_parallelism=2", PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3       0        0" in done.stdout
    script = (tmp_path / "submitted.txt").read_text()
    for option in ("--array=0-2%2", "--gpus-per-node=1", "--time=4320", "--signal=USR2@120", "--open-mode=append"):
        assert f"#SBATCH {option}" in script
    assert len(records(tmp_path)) == 3
    again = typed("sweep.py", "some hydra/launcher=slurm", PATH=path)
    assert (again.returncode, again.stdout) == (0, "some: 3 jobs, 3 done already, 0 to do\n")
