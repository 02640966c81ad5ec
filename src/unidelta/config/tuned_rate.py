"""The learning rate that was tuned for a design: of those in `training.tuned`, the one for the most similar design.

`training.tuned` holds rates by the backbone's family, by what is tuned, and by its share of the backbone's parameters
in percent:

    bart:
      ffn scaled 4: {0.5: 1e-2, 6.7: 4e-3}

A family that is not there has the rates of the first one.
"""

import math
from collections.abc import Iterator

from unidelta.config.schema import RunConfig
from unidelta.design.architecture import Architecture
from unidelta.design.closest import closest, kind_of
from unidelta.design.count import count
from unidelta.design.spec import Design
from unidelta.errors import ConfigError


def learning_rate(config: RunConfig, design: Design, architecture: Architecture) -> float:
    """The rate of a run that trains: `training.learning_rate`, or if that is null, the tuned one."""
    typed = config.training.learning_rate
    if typed is not None:
        return typed
    of_family = config.training.tuned
    tuned = of_family.get(architecture.family.name) or next(iter(of_family.values()))
    counts = count(design, architecture)
    return closest(tuned, kind_of(design), counts.percent_matrices or counts.percent_trained)


def check_tuned(config: RunConfig) -> Iterator[ConfigError]:
    """What is wrong with the rates of a configuration."""
    training = config.training
    if training.learning_rate is None and not training.tuned:
        why = "no rate is tuned for this method and task"
        yield ConfigError("training.learning_rate=null", why, "training.learning_rate=1e-3, for example")
    for family, tuned in training.tuned.items():
        if not tuned:
            why = "it names no design"
            yield ConfigError(f"training.tuned with {family}: {{}}", why, f"{family}: {{all: {{100: 1e-3}}}}")
        for kind, rates in tuned.items():
            if not rates or not all(math.isfinite(x) and x > 0 for pair in rates.items() for x in pair):
                why = "it has a rate for each percentage, both above 0"
                instead = f"{family}: {{{kind}: {{6.7: 1e-3}}}}"
                yield ConfigError(f"training.tuned with {family}: {kind}: {dict(rates)}", why, instead)
