"""Every method on every task composes and resolves to the published sizes, or is refused; also on a small model."""

import json

import pytest

from unidelta.design.count import count
from unidelta.design.rules import check
from unidelta.design.spec import Deltas
from unidelta.errors import Problems

METHODS = (
    "adapter adapter_houlsby adapter_pfeiffer bitfit full ia3 lora mam multihead_parallel_adapter parallel_adapter "
    "parallel_adapter_both prefix prefix_lora prompt scaled_parallel_adapter"
).split()
FAMILY = {"xsum": "bart", "wmt_en_ro": "mbart", "mnli": "roberta", "sst2": "roberta"}
# bottlenecks by slot: the paper's on XSum and en-ro; on GLUE what fills 0.5 %
SIZES = {
    "adapter": ({"ffn": 200}, {"ffn": 32}),
    "adapter_houlsby": ({"attn": 200, "ffn": 200}, {"attn": 16, "ffn": 16}),
    "adapter_pfeiffer": ({"ffn": 600}, {"ffn": 32}),
    "ia3": ({"attn": 0, "ffn": 0}, {"attn": 0, "ffn": 0}),
    "lora": ({"attn": 200}, {"attn": 16}),
    "mam": ({"attn": 30, "ffn": 512}, {"attn": 16, "ffn": 16}),
    "multihead_parallel_adapter": ({"attn": 200}, {"attn": 32}),
    "parallel_adapter": ({"ffn": 512}, {"ffn": 32}),
    "parallel_adapter_both": ({"attn": 30, "ffn": 512}, {"attn": 16, "ffn": 16}),
    "prefix": ({"attn": 200}, {"attn": 32}),
    "prefix_lora": ({"attn": 30, "ffn": 102}, {"attn": 16, "ffn": 3}),
    "scaled_parallel_adapter": ({"ffn": 512}, {"ffn": 32}),
}
# the two tasks of each kind differ in data only: a few methods on the second are enough
CASES = [(m, t) for m in METHODS for t in FAMILY if t in ("xsum", "mnli") or m in ("mam", "prompt")]


@pytest.mark.parametrize(("method", "task"), CASES)
def test_a_method_resolves_to_its_published_sizes_on_a_task(asked, method, task):
    words = (f"method={method}", f"task={task}", "scale=paper")
    if method == "prompt" and task in ("mnli", "sst2"):
        with pytest.raises(Problems, match="the classifier reads the first position"):
            asked(*words)
        return
    spec = asked(*words)
    architecture = spec.backbone.architecture
    assert architecture.family.name == FAMILY[task]
    assert (spec.method, spec.task.name, spec.scale, spec.task.source) == (method, task, "paper", "hub")
    assert check(spec.design, architecture) == []
    if isinstance(spec.design, Deltas):
        sizes = SIZES[method][task in ("mnli", "sst2")]
        assert {part.slot: part.bottleneck for part in spec.design.parts} == sizes
        assert spec.published_bottlenecks == sizes
        scales = {part.scale for part in spec.design.parts if part.composition == "scaled"}
        assert scales <= ({2.0} if task in ("mnli", "sst2") else {4.0})
    small = asked(*words, saves_apart=True)
    assert check(small.design, small.backbone.architecture) == []
    assert type(small.design) is type(spec.design)
    if isinstance(spec.design, Deltas) and method != "ia3":
        shares = [count(s.design, s.backbone.architecture).percent_matrices for s in (spec, small)]
        unit = 100 * 2 * 2 * 128 * 8 / small.backbone.architecture.n_parameters
        assert abs(shares[0] - shares[1]) < unit


@pytest.mark.parametrize("method", ["mam", "prompt"])
def test_what_identifies_a_run_is_json_and_holds_neither_device_nor_path(asked, method):
    data = asked(f"method={method}", "task=xsum", "training.device=cpu").scientific()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert {"device", "progress"}.isdisjoint(data["training"])
    assert "path" not in data["task"]
    same = asked(f"method={method}", "task=xsum", "training.device=auto", "training.progress=false").scientific()
    assert same == data
    assert asked(f"method={method}", "task=xsum", "seed=43").scientific() != data


@pytest.mark.parametrize(
    ("words", "trains_head"),
    [
        ((), False),
        (("training.head=trained",), True),
        (("conventions=paper",), True),
        (("conventions=paper", "training.head=frozen"), False),
    ],
)
def test_the_head_is_frozen_as_released_and_trained_as_written(asked, words, trains_head):
    assert asked("task=mnli", "method=lora", *words).design.trains_head is trains_head
    assert asked("task=mnli", "method=bitfit", *words).design.trains_head is trains_head


def test_a_design_without_a_head_does_not_say_that_it_is_trained(asked):
    assert not asked("task=xsum", "method=lora", "conventions=paper").design.trains_head
