"""From the lines of a sweep to its jobs: the product in order, each job once, every mistake reported."""

from itertools import product
from pathlib import Path

import pytest

from unidelta.errors import ConfigError, Problems
from unidelta.sweeps.plan import Job, jobs, names, read_lines, shard

from ..composed import composed


def texts(lines: list[str], overrides: tuple[str, ...] = ()) -> list[str]:
    return [str(job) for job in jobs(lines, overrides)]


def write(folder, content: str, name: str = "some") -> None:
    (folder / f"{name}.yaml").write_text(content, encoding="utf-8")


def test_a_line_is_the_product_of_its_sweeps_the_last_one_fastest():
    found = texts(["method=mam,lora task=xsum training.learning_rate=0.1,0.2 seed=1,2,3"])
    wanted = product(("mam", "lora"), (0.1, 0.2), (1, 2, 3))
    assert found == [f"method={m} task=xsum training.learning_rate={lr} seed={s}" for m, lr, s in wanted]


def test_lines_follow_each_other_and_a_job_of_two_lines_is_done_once():
    found = texts(["method=mam seed=2,3", "method=lora,mam seed=1,2", "method=mam seed=3,3"])
    assert found == [f"method={m} seed={s}" for m, s in (("mam", 2), ("mam", 3), ("lora", 1), ("lora", 2), ("mam", 1))]


def test_a_job_is_the_tuple_of_what_one_would_type():
    assert jobs(["method=mam seed=1"]) == [Job(("method=mam", "seed=1"))]
    assert jobs([]) == []


@pytest.mark.parametrize(
    ("line", "overrides", "wanted"),
    [
        ("method=mam seed=1,2", ("seed=7",), ["method=mam seed=7"]),
        ("position=attn,ffn seed=1", ("position=both",), ["position=both seed=1"]),
        ("method=mam seed=1", ("seed=8,9",), ["method=mam seed=8", "method=mam seed=9"]),
        ("method=mam", ("seed=7", "task=xsum"), ["method=mam seed=7 task=xsum"]),
        ("method=mam seed=1,2", ("seed=7", "seed=5"), ["method=mam seed=5"]),
    ],
)
def test_what_is_typed_replaces_what_a_line_says_of_the_same_key(line, overrides, wanted):
    assert texts([line], overrides) == wanted


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("task=xsum", ["method=mam task=xsum", "method=lora task=xsum", "method=bitfit seed=1 task=xsum"]),
        ("task=sst2,xsum", ["method=mam task=xsum", "method=lora task=xsum", "method=lora task=sst2"]),
        ("method=lora", ["method=lora task=xsum", "method=lora task=sst2"]),
        ("method=mam,bitfit", ["method=mam task=xsum", "method=bitfit seed=1"]),
        ("method=lora task=sst2", ["method=lora task=sst2"]),
    ],
)
def test_a_task_or_a_method_picks_from_the_jobs_and_fills_in_where_a_line_says_nothing(typed: str, wanted: list[str]):
    found = texts(["method=mam task=xsum", "method=lora task=xsum,sst2", "method=bitfit seed=1"], tuple(typed.split()))
    assert [job for job in found if "bitfit" not in job or job in wanted] == wanted


def test_a_task_that_no_line_has_is_refused_with_those_there_are():
    with pytest.raises(Problems, match="task=mnli") as refusal:
        jobs(["method=mam task=xsum", "method=lora task=xsum,sst2"], ("task=mnli", "seed=2"))
    (error,) = refusal.value.errors
    assert (error.asked, error.instead) == ("task=mnli", "one of: task=xsum, task=sst2")


def test_of_several_values_that_are_picked_each_is_in_the_sweep():
    lines = ["method=mam task=xsum", "method=lora task=xsum,sst2"]
    assert len(jobs(lines, ("task=xsum,sst2",))) == 3
    for typed, absent in (("task=sst2,mnli", "task=mnli"), ("method=dora,lora,vera", "method=dora method=vera")):
        with pytest.raises(Problems) as refusal:
            jobs(lines, (typed,))
        assert refusal.value.asked == absent and "method=lora" in refusal.value.instead + typed


def test_jobs_that_an_override_makes_alike_are_done_once():
    assert texts(["method=mam seed=1,2", "method=lora,mam seed=3"], ("seed=0",)) == [
        "method=mam seed=0",
        "method=lora seed=0",
    ]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("method.attn.targets=[query,value],[key]", ["[query,value]", "[key]"]),
        ("'method.attn.targets=[query, value],[key]'", ["[query,value]", "[key]"]),
        ('"method.attn.targets=[query,value]"', ["[query,value]"]),
        ("method.attn.targets=[query,value]", ["[query,value]"]),
        ("'method.attn.targets=choice([query,value],[key])'", ["[query,value]", "[key]"]),
    ],
)
def test_the_commas_of_a_list_are_its_own(line, wanted):
    assert texts([f"{line} seed=1"]) == [f"method.attn.targets={value} seed=1" for value in wanted]


def test_a_range_is_a_sweep():
    assert texts(["seed=range(1,4)"]) == ["seed=1", "seed=2", "seed=3"]


def test_every_line_that_cannot_be_read_is_told():
    bad = ["method", "seed='1", "method=mam seed=[1", "seed=interval(1,4)"]
    with pytest.raises(Problems) as refusal:
        jobs(["method=mam", bad[0], *bad[1:], "method=lora"])
    assert [error.asked for error in refusal.value.errors] == bad
    for error in refusal.value.errors:
        assert len(str(error).splitlines()) == 3 and error.why
    usual = "what can be typed after python train.py -m"
    assert [error.instead.partition(",")[0] for error in refusal.value.errors] == [
        "key=value",
        usual,
        usual,  # not 'seed="[1"', which is refused too
        usual,
    ]


def test_a_mistake_in_what_was_typed_is_refused():
    with pytest.raises(Problems, match="oops"):
        jobs(["method=mam"], ["oops"])


def test_the_sweeps_there_are_are_the_yaml_files_by_name(tmp_path):
    for name in ("second", "first"):
        write(tmp_path, "- seed=1", name)
    (tmp_path / "notes.txt").write_text("")
    assert names([tmp_path]) == ["first", "second"]


def test_the_lines_of_a_sweep_are_its_list(tmp_path):
    write(
        tmp_path, "# why\n- method=mam seed=1,2\n- >-\n  method=lora\n  seed=1\n- 'method.attn.targets=[key],[value]'"
    )
    assert read_lines("some", [tmp_path]) == [
        "method=mam seed=1,2",
        "method=lora seed=1",
        "method.attn.targets=[key],[value]",
    ]


def test_an_unknown_sweep_is_told_with_what_may_be_meant_or_with_those_there_are(tmp_path):
    with pytest.raises(ConfigError, match="sweep mini_mian") as refusal:
        read_lines("mini_mian", [tmp_path])
    assert refusal.value.instead == "one of: none in these folders"
    (tmp_path / "my runs.yml").write_text("- seed=1")
    with pytest.raises(ConfigError, match=r"mv '.*my runs.yml' '.*my runs.yaml'"):
        read_lines("my runs", [tmp_path])
    for name in ("mini_main", "paper"):
        write(tmp_path, "- seed=1", name)
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", "- seed=1", "own")
    for asked, instead in {
        "mini_mian": "mini_main",
        "Mini-Main": "mini_main",
        "sweeps/paper.yaml": "paper",
        "other": "one of: mini_main, paper",
        str(tmp_path / "elsewhere/own.yaml"): "own, with its file in ./sweeps",
    }.items():
        with pytest.raises(ConfigError, match="there is no sweep of this name") as refusal:
            read_lines(asked, [tmp_path])
        assert refusal.value.instead == instead


def test_a_key_with_its_plus_signs_is_the_key():
    assert jobs(["method=lora seed=1,2"], ["++seed=7"]) == jobs(["method=lora seed=1,2"], ["seed=7"])


def test_two_sweeps_of_one_name_are_refused(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for folder in (tmp_path, own):
        write(folder, "- seed=1", "table3")
    with pytest.raises(ConfigError, match=r"two files have this name, .*table3\.yaml and .*table3\.yaml"):
        read_lines("table3", [tmp_path, own])
    assert read_lines("table3", [tmp_path, tmp_path / "own" / ".."]) == ["seed=1"], "one file by two paths is one"


@pytest.mark.parametrize("value", ["runs/țară", "a#1", "~/data", "größe", "sm ü", "1e3", "x(y)"])
def test_a_line_reads_texts_as_train_py_does(value):
    for line, typed in ((f'method=lora results_dir="{value}"', ()), ("method=lora", (f"results_dir={value}",))):
        (job,) = jobs([line], typed)
        assert composed(job.overrides).results_dir.removeprefix(str(Path.home())).endswith(value.lstrip("~"))


@pytest.mark.parametrize("content", ["", "[]", "seed: 1", "seed=1", "- seed: 1", "- [seed=1]", "- seed=1\n- 2", "- "])
def test_a_file_that_is_no_list_of_lines_is_refused(tmp_path, content):
    write(tmp_path, content)
    with pytest.raises(ConfigError, match=r"some\.yaml is not a list of lines") as refusal:
        read_lines("some", [tmp_path])
    assert jobs([refusal.value.instead.removeprefix("- ")])


@pytest.mark.parametrize("content", ["- [seed=1", "- 'seed=1", "\t- seed=1", "a: b: c"])
def test_a_file_that_is_no_yaml_is_refused(tmp_path, content):
    write(tmp_path, content)
    with pytest.raises(ConfigError, match=r"some\.yaml is not YAML") as refusal:
        read_lines("some", [tmp_path])
    assert refusal.value.asked == "sweep some" and refusal.value.why.count("\n") == 0


@pytest.mark.parametrize("n_jobs", [0, 1, 4, 11])
@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_shards_are_even_and_have_every_job_once(n, n_jobs):
    planned = jobs([f"seed=range({n_jobs})"]) if n_jobs else []
    shards = [shard(planned, f"{i}/{n}") for i in range(n)]
    assert sorted((job for part in shards for job in part), key=planned.index) == planned
    assert {len(part) for part in shards} <= {n_jobs // n, -(-n_jobs // n)}
    assert all(part == sorted(part, key=planned.index) for part in shards)


@pytest.mark.parametrize("which", ["4/4", "5/4", "0/0", "-1/4", "a/b", "1/b", "1", "1/", "/4", "", "1/4/2", "0.5/4"])
def test_what_is_no_shard_is_refused(which):
    with pytest.raises(ConfigError) as refusal:
        shard(jobs(["seed=1,2,3"]), which)
    assert (refusal.value.asked, refusal.value.instead) == (f"--shard {which}", "--shard 0/4")
