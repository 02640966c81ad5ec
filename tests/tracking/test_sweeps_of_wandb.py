"""The sweep file of docs/tracking.md, and what W&B's agent makes of it: words that train.py takes."""

import re
from pathlib import Path
from typing import Any

import yaml

from ..forked import forked

ROOT = Path(__file__).parents[2]


def sweep() -> dict[str, Any]:
    text = (ROOT / "docs" / "tracking.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(block)


def values(parameter: dict[str, Any]) -> list[Any]:
    """Values that the server might choose; Python prints them, as the agent does."""
    if "value" in parameter:
        return [parameter["value"]]
    return parameter.get("values") or [float(parameter["min"]), 0.0012345678901234567, float(parameter["max"])]


def test_every_job_of_the_documented_sweep_can_be_done():
    """The default command of a sweep is `${env} ${interpreter} ${program} ${args}`, an argument being `--key=value`."""
    file = sweep()
    assert file.keys() == {"program", "method", "metric", "parameters"}
    choices = {key: values(parameter) for key, parameter in file["parameters"].items()}
    for i in range(max(map(len, choices.values()))):
        arguments = [f"--{key}={all_of_it[i % len(all_of_it)]}" for key, all_of_it in choices.items()]
        done = forked([file["program"], *arguments, "--dry_run=True"], ROOT)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("lora on mini-XSum")
