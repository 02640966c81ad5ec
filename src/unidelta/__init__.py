"""Parameter-efficient transfer learning as one equation, `h ← compose(h, form(x or h))` (He et al., ICLR 2022).

`inject` puts a method into any supported Hugging Face model, `load` puts saved deltas back, `export` and `import_`
exchange them with other libraries; `design` describes a method on a model, `runs` reads records, `register` adds your
own parts. Nothing here imports torch until it is called.
"""

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from unidelta.design.composition import COMPOSITIONS, Composition
from unidelta.design.family import FAMILIES, Family
from unidelta.design.form import FORMS, Form
from unidelta.design.generator import GENERATORS, Generator
from unidelta.design.methods import Axes
from unidelta.design.spec import Design
from unidelta.design.wording import typed_in_python
from unidelta.errors import ConfigError, DesignError
from unidelta.exchange.api import export, import_, push_to_hub
from unidelta.extensions.named_paths import python_path

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedModel

    from unidelta.analysis.draw import Drawing
    from unidelta.injection.injection import Injection
    from unidelta.tasks.metrics.metric import Metric

__version__ = "0.2.0"


def inject(
    model: "PreTrainedModel", method: str | Design, *, seed: int = 42, fast: bool = True, **axes: Unpack[Axes]
) -> "Injection":
    """Put a method into a model, in place: the backbone is frozen, the deltas train.

    Names and values of the model's own weights do not change. The model works as before in your own loop, in
    transformers' Trainer and `generate`, under `torch.compile`, gradient checkpointing, float16 and bfloat16.

    Args:
        model: an unmodified Hugging Face Transformers model, of one of sixteen architectures (docs/backbones.md) or of
            your own.
        method: a method by name (`"mam"`, `"lora"`, one of your own), or a design from `unidelta.design`.
        seed: of the deltas' initialisation; the global random state is neither read nor changed.
        fast: whether optimisations are on; results are the same up to rounding.
        **axes: changes to the method: `position="ffn"`, `insertion="parallel"`, `composition="scaled"`, `scale=2`,
            `budget="0.5%"` (of the model's parameters, matrices only) or `budget=30` (the bottleneck),
            `layers="last:2"`, `conventions="paper"`, `head="trained"` (see `unidelta.Axes`).

    Returns:
        A handle: `summary()`, `trained_parameters()`, `save(folder)`, `merge()`, `unmerge()`, `disabled()`, `remove()`.

    Raises:
        UserError: the request is impossible; three lines say what was asked, why not, and what to type instead. The
            model is unchanged.
    """
    import torch

    from unidelta.fast.switch import speed_up
    from unidelta.injection.inject import inject as put_into

    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed={seed!r}", "a seed is a whole number, between 0 and 4294967295", "seed=42")
    if not isinstance(fast, bool):
        raise ConfigError(f"fast={fast!r}", "`fast` is true or false", "fast=True, or fast=False")
    if isinstance(method, Design) and axes:
        asked = f"a design with {', '.join(f'{name}={value!r}' for name, value in axes.items())}"
        raise ConfigError(asked, "a design has its own axes", "dataclasses.replace(design, …), or a method's name")
    chosen = method if isinstance(method, Design) else design(model, method, **axes)
    with typed_in_python():
        injection = put_into(model, chosen, generator=torch.Generator().manual_seed(int(seed)))
    if fast:
        speed_up(injection)
    return injection


def design(model: "PreTrainedModel", method: str, **axes: Unpack[Axes]) -> Design:
    """A method's design for a model, as data: to inspect, to change with `dataclasses.replace`, to `inject`.

    The bottleneck in a method's file is for the paper's backbone; on a model of a different size it is rescaled to the
    same share of parameters, unless `budget` is given.

    Args:
        model: a model of transformers; its weights are not read.
        method: a method by name.
        **axes: as in `inject`.

    Raises:
        UserError: as `inject`.
    """
    from unidelta.design.methods import request_of
    from unidelta.design.published import published_for
    from unidelta.design.resolve import checked_design
    from unidelta.injection.architecture import architecture_of_model, check_head

    architecture = architecture_of_model(model)
    check_head(model, architecture, axes.get("head"))
    published = published_for(architecture.family.name, n_labels=architecture.n_labels)
    with typed_in_python():
        return checked_design(request_of(method, axes), architecture=architecture, published=published)


def load(folder: str | Path, model: "PreTrainedModel") -> "PreTrainedModel":
    """Load saved deltas into their backbone, ready for inference.

    Args:
        folder: written by `deltas.save`, or left by a complete run (`<results_dir>/<scale>/<task>/<run_id>`).
        model: the stock model that they were trained in, in the same precision; changed in place.

    Returns:
        The model with the deltas, in eval mode and with nothing trainable; `deltas_of(model)` returns their handle.

    Raises:
        SavedDeltasError: there are no deltas in the folder, or the model has different sizes or weights.
        DamagedDeltas: the files have changed since they were written. In either case the model is unchanged.
    """
    from unidelta.fast.switch import speed_up
    from unidelta.injection.saved import load as put_into

    speed_up(put_into(python_path(folder, "unidelta.load(DIR, model)"), model))
    return model


def deltas_of(model: "PreTrainedModel") -> "Injection":
    """The handle of the deltas in a model, for instance after `load` or `deepcopy`; a DesignError if it has none."""
    from unidelta.injection.injection import Injection

    found = getattr(model, "unidelta", None)
    if not isinstance(found, Injection):
        instead = "unidelta.inject(model, METHOD), or unidelta.load"
        if isinstance(getattr(getattr(model, "module", None), "unidelta", None), Injection):
            instead = "unidelta.deltas_of(model.module): a wrapper has none of its own"
        raise DesignError("the deltas of a model", "this model has none", instead)
    return found


def runs(folder: str | Path = "results") -> "pd.DataFrame":
    """Every record below a folder as a table, one row per run.

    Columns: coordinates (task, method, position, seed …), the design in words, parameter counts, settings, scores in
    percent, costs in seconds, provenance. A run that did not complete has its status and no scores.

    Raises:
        RecordError: there are no records.
        Problems: every record that is damaged.
    """
    from unidelta.analysis.frame import every_run

    return every_run(python_path(folder, "unidelta.runs(DIR)"))


def board(runs: "pd.DataFrame", *, task: str | None = None, metric: str | None = None) -> "pd.DataFrame":
    """One row for each setting (everything but the seed), the best first: mean, 95 % interval, n, tuned %, seconds.

    Columns beside these: the settings that vary, and `pareto`. `attrs["notes"]` says how many runs are shown, and
    why the others are not. Scales, tasks and metrics are never mixed.

    Args:
        runs: what `runs` returns, or some of its rows.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.

    Raises:
        ConfigError: there is no such task or score.
    """
    from unidelta.analysis.explore.board import board as board_of

    return board_of(runs, task=task, metric=metric)


def curve(
    runs: "pd.DataFrame",
    *,
    task: str | None = None,
    metric: str | None = None,
    x: str = "percent",
    by: Sequence[str] = ("method", "position"),
) -> "Drawing":
    """Scores against the share of tuned parameters, or any number, as a figure of matplotlib.

    A panel for each task, a line for each method and position; where several settings share a point, the best on
    dev. Below it stands how many runs are shown, and why the others are not.

    Args:
        runs: what `runs` returns, or some of its rows.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.
        x: a column of `runs` or a setting (`"training.learning_rate"`) that is a number.
        by: what lines differ by, likewise.

    Raises:
        ConfigError: there is no such task, score or setting, or nothing to draw.
    """
    from unidelta.analysis.draw import drawn
    from unidelta.analysis.explore.curves import curves

    return drawn(curves(runs, task=task, metric=metric, x=x, by=by))


def compare(
    first: "pd.DataFrame",
    second: "pd.DataFrame",
    *,
    task: str | None = None,
    metric: str | None = None,
    by: Sequence[str] = (),
) -> "pd.DataFrame":
    """First minus second on each task: difference, 95 % interval, p, n, and the n that would decide it.

    Paired if all seeds of the side with fewer (at least two) pair, else Welch's test. `attrs["notes"]` says which runs
    are compared.

    Args:
        first: rows of what `runs` returns, such as `runs[runs.method == "mam"]`.
        second: those they are compared with.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.
        by: columns or settings in which both sides have to agree, a row for each; of several settings that agree in
            them, the best on dev is compared.

    Raises:
        ConfigError: there is no such task, score or setting, or nothing that both sides have.
    """
    from unidelta.analysis.explore.compare import compare as compare_sides

    return compare_sides(first, second, task=task, metric=metric, by=by)


def register(
    thing: "Form | Generator | Composition | type[Form | Generator | Composition] | Family | Metric | str | Path",
) -> None:
    """Register a form, a generator, a composition, an architecture, a metric, or a folder with these and YAML.

    Args:
        thing: a descriptor or its class; or a folder laid out as `unidelta.extensions.folders` says (`--config-dir DIR`
            loads the same).

    Raises:
        UserError: its name is taken, or a file of the folder cannot be read or has mistakes.
    """
    from unidelta.config.own_files import add_own_folder
    from unidelta.tasks.metrics.metric import METRICS, Metric

    match made := thing() if isinstance(thing, type) else thing:
        case Form():
            FORMS.register(made)
        case Generator():
            GENERATORS.register(made)
        case Composition():
            COMPOSITIONS.register(made)
        case Family():
            FAMILIES.register(made)
        case Metric():
            METRICS.register(made)
        case str() | Path():
            with typed_in_python():
                add_own_folder(made, asked=f'unidelta.register("{made}")')
        case _:
            raise TypeError(f"{thing!r} is not a form, generator, composition, architecture, metric or folder.")


__all__ = [
    "Axes",
    "Composition",
    "Design",
    "Family",
    "Form",
    "Generator",
    "board",
    "compare",
    "curve",
    "deltas_of",
    "design",
    "export",
    "import_",
    "inject",
    "load",
    "push_to_hub",
    "register",
    "runs",
]
