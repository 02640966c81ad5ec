"""The words of train.py in any order and in W&B's form, sweeps and help, as a shell hands them over."""

import ast
import shlex
from pathlib import Path

import pytest

from unidelta.config.arguments import arguments_of
from unidelta.config.overrides import check
from unidelta.config.spelling import as_hydra_reads, as_typed, parsed, quoted
from unidelta.errors import ConfigError, Problems
from unidelta.run.prepare import prepare

from ..forked import forked

ROOT = Path(__file__).parents[2]


def test_words_and_options_are_told_apart_wherever_they_stand():
    typed = "method=a,b -m task=xsum --config-dir D seed=1 position=ffn --resolve"
    found = arguments_of(typed.split())
    assert found.words == ("method=a,b", "task=xsum", "seed=1", "position=ffn")
    assert (found.is_multirun, found.config_dir, found.is_completion) == (True, "D", False)
    assert arguments_of(["--config-dir=E"]).config_dir == "E"
    assert arguments_of(["--info", "seed=3"]).words == ("seed=3",)
    assert arguments_of(["--info", "defaults", "seed=3", "--cfg=job"][1:]).words == ("defaults", "seed=3")


def test_the_form_of_a_sweep_agent_is_a_word():
    typed = ["--training.learning_rate=0.001", "--method=lora", "--training.epochs=None", "--training.progress"]
    words = ("training.learning_rate=0.001", "method=lora", "training.epochs=null", "training.progress=true")
    assert arguments_of(typed).words == words


def test_a_value_may_follow_its_key_as_in_other_programs():
    typed = "--method lora --dry-run --training.max_steps 20 -m --task=xsum --save-model"
    words = ("method=lora", "dry_run=true", "training.max_steps=20", "task=xsum", "save_model=true")
    assert arguments_of(typed.split()).words == words


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("-x", "key=value, or"),
        ("--no-such-option", "key=value, or"),
        ("--cfg", "--cfg VALUE"),
        ("--lr 1e-3", "training.learning_rate=1e-3"),
        ("-seed=3", "seed=3"),
        ("-task sst2", "task=sst2"),
        ("--multi-run seed=1,2", "--multirun"),
    ],
)
def test_what_is_neither_is_refused(typed, instead):
    with pytest.raises(ConfigError) as refusal:
        arguments_of(typed.split())
    assert refusal.value.instead.startswith(instead)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["seed", "=", "3"], ["seed=3"]),
        (["seed=", "3"], ["seed=3"]),
        (["task:", "sst2"], ["task=sst2"]),
        (["position", "=ffn"], ["position=ffn"]),
        (["method = lora"], ["method=lora"]),
        (["seed==3"], ["seed=3"]),
        (["method=lora,seed=3"], ["method=lora", "seed=3"]),
        (["results_dir=~/x,seed=3"], ["results_dir=~/x", "seed=3"]),
        (["task.labels=[țară,b],task=sst2"], ["task.labels=[țară,b]", "task=sst2"]),
        (["task=mnli; position: attn budget=paper"], ["task=mnli", "position=attn", "budget=paper"]),
        (["training.max_tokens=8,seed = 3,"], ["training.max_tokens=8", "seed=3"]),
    ],
)
def test_the_advice_for_a_slip_at_the_sign_can_be_typed(typed, meant):
    with pytest.raises(Problems) as refusal:
        check(typed)
    (problem,) = refusal.value.errors
    assert (problem.asked, problem.instead) == (" ".join(typed), shlex.join(meant))
    check(meant)


@pytest.mark.parametrize("typed", [["seed=", "task=xsum"], ["seed=1", "=2"], ["nothing", "task=xsum"], ["seed=1;n=2"]])
def test_what_is_no_such_slip_is_refused_for_what_it_is(typed):
    with pytest.raises(Problems) as refusal:
        check(typed)
    (problem,) = refusal.value.errors
    assert problem.asked in typed


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("task.metrics=accuracy", "task.metrics=[accuracy]"),
        ("task.metrics=rouge,chrf", "task.metrics=[rouge,chrf]"),
        ("method.attn.targets=key", "method.attn.targets=[key]"),
        ("task.labels=1,2,3", "task.labels=[1,2,3]"),
        ("budget.percent=0.5%", "budget.percent=0.5"),
        ("budget=3.6%", "budget=percent budget.percent=3.6"),
        ("budget=30", "budget=bottleneck budget.bottleneck=30"),
        ("budget=big", "budget=bottleneck or budget=paper or budget=percent"),
    ],
)
def test_the_advice_for_a_list_a_share_or_a_size_can_be_typed(typed, advice):
    with pytest.raises(Problems) as refusal:
        check(["method=lora", typed], is_multirun=False)
    assert refusal.value.instead.strip("'") == advice
    for one in advice.split(" or "):
        check(["method=lora", *one.split()], is_multirun=False)


@pytest.mark.parametrize("typed", ["layers=[0,1]", "layers=[1]", "layers=1", "method.ffn.layers=[0]", "layers=last:1"])
def test_layers_are_a_list_a_number_or_a_word(composed, typed):
    check(["method=adapter", typed])
    layers = typed.partition("=")[2].strip("[]")
    assert [part.layers for part in prepare(composed("method=adapter", typed)).design.parts] == [layers]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("-m method=lora,mam --cfg job", "exclude each other"),
        ("--info defaults -c job", "exclude each other"),
        ("hydra.mode=MULTIRUN --info", "exclude each other"),
        ("-sc install=tcsh", "the shells are bash, fish and zsh"),
        ("--shell-completion", "the shells are bash, fish and zsh"),
        ("--experimental-rerun x", "a pickle"),
        ("--config-name=foo", "there is one configuration"),
        ("-cp conf", "configuration is read from one place"),
    ],
)
def test_options_of_hydra_that_cannot_be_are_refused(typed, why):
    with pytest.raises(ConfigError, match=why):
        arguments_of(typed.split())


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("hydra.launcher.gpus=0", "hydra.launcher.gpus=[0]"),
        ("hydra.launcher.workers=abc", "hydra.launcher.workers=null"),
        ("hydra.launcher.timout_s=3", "hydra.launcher.timeout_s"),
        ("hydra.launcher.reuse=maybe", "hydra.launcher.reuse=null"),
        ("hydra.launcher.gpus=2,3", "'hydra.launcher.gpus=[2,3]'"),
        ("hydra.launcher.gpus=[0],[1]", "'hydra.launcher.gpus=[0]'"),
        ("hydra.launcher.workers=2,4", "hydra.launcher.workers=2"),
        ("hydra/launcher=basic,pool", "hydra/launcher=basic"),
        ("hydra.sweep.dir=~/a,~/b", "'hydra.sweep.dir=\"~/a\"'"),
        ("hydra.job.name=range(1,3)", "hydra.job.name=1"),
    ],
)
def test_keys_of_the_pool_are_checked_and_the_advice_can_be_typed(typed, advice):
    with pytest.raises(Problems) as refusal:
        check([typed], is_multirun=True)
    (error,) = refusal.value.errors
    assert error.instead == advice
    check(shlex.split(advice) if "=" in advice else [f"{advice}=3"], is_multirun=True)


@pytest.mark.parametrize("typed", ["hydra/launcher=joblib", "training.learning_rate=interval(1e-4,1e-3)"])
def test_what_no_multirun_can_do_is_refused_before_hydra_starts(typed):
    with pytest.raises(Problems, match=r"there is no launcher `joblib`|an interval cannot be enumerated"):
        check([typed], is_multirun=True)


def test_two_folders_of_ones_own_are_refused():
    with pytest.raises(ConfigError, match="only one --config-dir is allowed"):
        arguments_of(["--config-dir", "a", "method=lora", "--config-dir=b"])


def test_a_glob_is_every_option_that_fits():
    (word,) = as_hydra_reads(["method=glob(*adapter*,exclude=*pfeiffer)"])
    names = word.removeprefix("method=").split(",")
    assert {"adapter", "adapter_houlsby", "parallel_adapter"} <= set(names) and "adapter_pfeiffer" not in names
    check(["method=glob(*)", "task=glob([x*,s*])"])
    for word, why in (("method=glob(zz*)", "there is no method `glob"), ("seed=glob(*)", "for groups")):
        with pytest.raises(Problems, match=why):
            check([word])


def test_several_values_without_m_are_told_as_such():
    for word in ("method=lora,mam", "seed=range(1,4)", "task=glob(*)", "training.learning_rate=choice(1e-3,1e-4)"):
        with pytest.raises(Problems, match="several values are a run for each, which needs -m"):
            check([word], is_multirun=False)
    with pytest.raises(Problems) as refusal:
        check(["tracking.group=a,b"], is_multirun=False)
    advice = refusal.value.instead.rpartition(": ")[2].strip("'")
    check([advice], is_multirun=False)
    assert parsed(advice).value() == "a,b"


@pytest.mark.parametrize("text", ['a"b', "a\\", 'a\\"b', "it's", "a,b", "x\\\\", "{", "ț #1"])
def test_what_is_quoted_is_read_as_it_was(text):
    assert parsed(quoted("tracking.group", text)).value() == text


@pytest.mark.parametrize("word", ['tracking.group=a"b', "results_dir=it's", "task.path='x"])
def test_the_advice_about_quotes_is_a_word_that_can_be_typed(word):
    with pytest.raises(Problems) as refusal:
        check([word])
    (advice, *_) = shlex.split(refusal.value.instead.partition(", the value")[0])
    check([advice])


def test_spelling_is_undone():
    words = ["method.attn.options.k=1", "experiment=quick", "experiment=quick,null", "seed=3"]
    spelled = as_hydra_reads(words)
    assert spelled[1:3] == ["experiment@_global_=quick", "experiment@_global_=quick,none"]
    assert as_typed(spelled) == [*words[:2], "experiment=quick,none", "seed=3"]
    assert as_hydra_reads(as_hydra_reads(['results_dir="~/x"'])) == ['results_dir="~/x"']


@pytest.mark.parametrize(
    ("word", "meant"),
    {
        "lr=1": "training.learning_rate=1",
        "training.lr=1": "training.learning_rate=1",
        "batch=8": "training.batch_size=8",
        "num_train_epochs=3": "training.epochs=3",
        "gradient_accumulation_steps=2": "training.accumulation=2",
        "output_dir=x": "results_dir",
        "model_name_or_path=x": "backbone.checkpoint",
        "training.fp16=true": "training.precision",
        "gpu=0": "training.device",
        "steps=many": "training.max_steps",
        "training.seed=3": "seed=3",
        "batch_size=4": "training.batch_size=4",
        "model=bert": "backbone=bert",
        "model=bert-large": "backbone",
        "+num_beams=2": "task.generation.num_beams=2",
        "method=LoRA": "method=lora",
        "method=MAM-Adapter": "method=mam",
        "method=IA3": "method=ia3",
        "method=prefix_tuning": "method=prefix",
        "task=SST-2": "task=sst2",
        "task=en-ro": "task=wmt_en_ro",
        "task=glue_mnli": "task=mnli",
        "backbone=bart-large": "backbone=bart",
    }.items(),
)
def test_what_other_programs_call_it_is_understood(word, meant):
    with pytest.raises(Problems) as refusal:
        check([word])
    assert refusal.value.instead.split(" or ")[0] == meant


def test_help_begins_with_the_project_and_shows_what_to_type():
    done = forked(["train.py", "--help"], ROOT)
    first, *lines = done.stdout.splitlines()
    assert (done.returncode, first.split(":")[0]) == (0, "unidelta")
    assert any(line.startswith("python train.py -m ") for line in lines)
    assert "experiment: none, quick" in lines
    named = forked(["-m", "unidelta", "train", "--help"], ROOT).stdout.splitlines()
    assert [line.replace("unidelta train", "python train.py") for line in named] == [first, *lines]
    assert not any(line.startswith(("tuned", "scale_task")) for line in lines)  # which nobody types


@pytest.mark.slow
def test_a_sweep_over_experiments_and_globs_does_every_job(tmp_path):
    words = "method=glob(bit*) -m task=sst2 experiment=quick,null training.max_steps=1 tracking=none"
    done = forked(["train.py", *words.split(), f"results_dir={tmp_path}"], ROOT)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("mini/sst2/*.json"))) == 2


def private_imports(source: str) -> list[str]:
    """Modules of Hydra and W&B that are imported although they are not public."""
    names = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    parts = (name.split(".") for name in names if name.split(".")[0] in ("hydra", "wandb", "omegaconf"))
    return [".".join(part) for part in parts if part[1:2] == ["sdk"] or any(one.startswith("_") for one in part)]


def test_no_private_name_of_hydra_or_wandb_is_imported():
    assert private_imports("from hydra._internal.utils import x\nfrom wandb.sdk.lib import y\nimport hydra") == [
        "hydra._internal.utils.x",
        "wandb.sdk.lib.y",
    ]
    places = [*(f"{room}/{file.name}" for room in ("cli", "config", "tracking") for file in _files(room))]
    sources = [ROOT / "src" / "unidelta" / place for place in places]
    assert [found for path in sources if path.exists() for found in private_imports(path.read_text("utf-8"))] == []


def _files(room: str) -> list[Path]:
    return sorted((ROOT / "src" / "unidelta" / room).glob("*.py"))
