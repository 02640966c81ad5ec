"""A method read without Hydra equals what Hydra composes for the same overrides."""

import pytest

from unidelta.design.methods import request_of
from unidelta.extensions.folders import config_names

from ..composed import composed

AXES = [
    ("lora", {"position": "ffn", "scale": 2.0}),
    ("mam", {"budget": "3.6%", "conventions": "paper"}),
    ("adapter", {"insertion": "parallel", "composition": "learned_scale", "head": "trained"}),
    ("parallel_adapter", {"position": "attn", "budget": 30}),
    ("scaled_parallel_adapter", {"composition": "additive"}),
    ("prefix_lora", {"budget": {"attn": 20, "ffn": 7}}),
    ("prefix", {"composition": "scaled", "scale": 4}),
    ("ia3", {"position": "attn"}),
]


def words(axes: dict) -> list[str]:
    """The axes as typed on the command line."""
    said = []
    for axis, value in axes.items():
        match axis, value:
            case "scale", _:
                said.append(f"composition.scale={value}")
            case "budget", str():
                said += ["budget=percent", f"budget.percent={value.removesuffix('%')}"]
            case "budget", int():
                said += ["budget=bottleneck", f"budget.bottleneck={value}"]
            case "budget", _:
                said += ["budget=bottleneck", *(f"budget.{slot}={size}" for slot, size in value.items())]
            case "head", _:
                said.append(f"training.head={value}")
            case _:
                said.append(f"{axis}={value}")
    return said


@pytest.mark.parametrize(("method", "axes"), [*((name, {}) for name in config_names("method")), *AXES], ids=str)
def test_a_request_is_what_hydra_composes(method, axes):
    task = "wmt_en_ro" if method == "prompt" else "xsum"  # one for which conf/tuned/ does not change the method
    typed = [f"method={method}", f"task={task}", "scale=paper", *words(axes)]
    assert request_of(method, axes) == composed(tuple(typed)).request()
