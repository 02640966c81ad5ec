"""Weights & Biases: online where that works within seconds, else in a folder that `wandb sync` sends later.

W&B prints nothing here, collects nothing about code, machine or console, and stores only what it is given. By default
it waits 100 s for a server that does not answer. Here a short probe comes first, and a run that cannot start online
starts offline, in a fresh service.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# before the import, which reads it: no reports about errors to anyone
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")

import wandb
from pydantic import ValidationError
from wandb.errors import AuthenticationError, UsageError

from unidelta.network.probe import answers
from unidelta.records.record import RunRecord
from unidelta.tracking.spec import TrackingSpec
from unidelta.tracking.tracker import RunFacts, summary, table

PROJECT = "unidelta"
PROBE_S = 3.0
INIT_S = 5.0  # online; a server that answers needs about one
FINISH_S = 20.0  # to upload what is left when a run ends
_OTHER_NAMES = {"DIR": "root_dir", "NAME": "run_name", "NOTES": "run_notes", "TAGS": "run_tags"}
_OTHER_NAMES |= {"JOB_TYPE": "run_job_type", "APP_URL": "app_url_override", "USER_EMAIL": "email"}
_OTHER_NAMES |= {"HTTP_TIMEOUT": "x_graphql_timeout_seconds", "FILE_PUSHER_TIMEOUT": "x_file_transfer_timeout_seconds"}
"""Settings whose variable has another name, as `wandb.Settings.update_from_env_vars` has them."""
_FLUSH_S = 1.0  # what a killed run may lose at most


def open_wandb(spec: TrackingSpec, facts: RunFacts, *, tell: Callable[[str], None]) -> "WandbTracker":
    """A W&B run.

    Args:
        spec: what was asked.
        facts: the run.
        tell: gets one line if the run is offline although online was asked for.

    Raises:
        UsageError: a setting of W&B's has a value that it does not take.
        wandb.Error: not even an offline run can start.
    """
    _give_a_cache(spec.folder / "wandb" / "cache")
    quiet = wandb.Settings(silent=True) if spec.mode != "online" else wandb.Settings(silent=True, mode="online")
    try:
        users = wandb.setup(settings=quiet).settings
    except ValidationError as error:
        raise UsageError("; ".join(_wrong_settings(error, os.environ))) from error
    mode, why_not = _mode(spec.mode, users.mode, users.base_url)
    if mode == "online":
        try:
            return WandbTracker(_begin(spec, facts, users, mode="online"), note=None)
        except Exception as error:
            # The text of the error may quote what the server said, or the key.
            why_not = f"the server does not take the run ({type(error).__name__})"
            wandb.teardown(exit_code=0)
            wandb.setup(settings=quiet)
    note = None
    if why_not is not None:
        note = f"offline, because {why_not}"
        tell(f"W&B is offline for this run, because {why_not}; `wandb sync` sends it later.")
    mode = "disabled" if mode == "disabled" else "offline"
    return WandbTracker(_begin(spec, facts, users, mode=mode), note=note)


class WandbTracker:
    """One W&B run.

    Args:
        run: the run.
        note: why it is not online, if online was asked for.
    """

    def __init__(self, run: wandb.Run, *, note: str | None) -> None:
        self._run = run
        self.state: dict[str, str | None] = {"mode": run.settings.mode, "note": note}

    def log(self, entry: Mapping[str, float]) -> None:
        """One row of W&B's history for each step: training and evaluation of the same step share it."""
        self._run.log(dict(entry), step=int(entry["step"]))

    def finish(
        self, record: RunRecord | None, predictions: Sequence[Mapping[str, Any]] = (), *, exit_code: int
    ) -> None:
        """Summary, provenance and the first predictions; then the run is over, failed unless the code is 0.

        Raises:
            TimeoutError: the server does not take the rest; all of it is on disk.
        """
        if record is not None:
            columns, rows = table(predictions)
            if rows:
                shown = wandb.Table(columns=columns, data=rows, allow_mixed_types=True)
                # Bound by hand, the table is a file of the run. W&B would also make an artifact of it, copied into the
                # user's home and logged with the server's consent: that takes seconds, and the folder would need both.
                shown.bind_to_run(self._run, "predictions", record.cost["steps"])
                self._run.log({"predictions": shown})
            self._run.config.update({"provenance": dict(record.provenance)})
            self._run.summary.update(summary(record))
        self._run.finish(exit_code=exit_code)


def _wrong_settings(error: ValidationError, environment: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with each of W&B's settings, under the name of the variable that says it; no value, which may be a
    secret.
    """
    of_field = {field: name for name in environment if (field := _field(name)) is not None}
    for wrong in error.errors(include_url=False, include_context=False, include_input=False):
        field = str(wrong["loc"][0]) if wrong["loc"] else "settings"
        why = wrong["msg"].removeprefix("Value error, ")
        yield f"{of_field.get(field, f'{field}, of the settings of W&B')}: {why[:1].lower()}{why[1:]}"


def _field(variable: str) -> str | None:
    """The setting that a variable of W&B's sets, None if it sets none."""
    name = variable.removeprefix("WANDB_")
    if name == variable:
        return None
    return _OTHER_NAMES.get(name) or (f"x{name.lower()}" if name.startswith("_") else name.lower())


def _give_a_cache(instead: Path) -> None:
    """Give W&B's service a cache where the user's cannot be written (no HOME): else it logs to standard error."""
    home = os.environ.get("HOME")
    users = os.environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else None)
    named = os.environ.get("WANDB_CACHE_DIR") or (f"{users}/wandb" if users else None)
    try:
        if named is not None:
            Path(named, "logs").mkdir(parents=True, exist_ok=True)  # where the service logs
            if os.access(Path(named, "logs"), os.W_OK):
                return
    except OSError:
        pass
    os.environ["WANDB_CACHE_DIR"] = str(instead.resolve())


def _mode(asked: str, users: str | None, server: str) -> tuple[str, str | None]:
    """offline, online or disabled, and why it is not online if it was to be.

    Args:
        asked: tracking.mode.
        users: the mode of W&B's own settings (WANDB_MODE, `wandb offline`), which `auto` respects.
        server: its address.
    """
    if asked == "offline":
        return "offline", None
    if asked == "auto" and users in ("offline", "disabled"):
        return users, None
    try:
        has_key = wandb.login(prompt=False, verify=False)
    except AuthenticationError:
        return "offline", "the API key that is set is not a valid key"
    if not has_key:
        return "offline", None if asked == "auto" else "no API key is set (`wandb login` sets one)"
    if not answers(server, timeout_s=PROBE_S):
        return "offline", f"the server did not answer within {PROBE_S:.0f} s"
    return "online", None


def _begin(spec: TrackingSpec, facts: RunFacts, users: wandb.Settings, *, mode: Any) -> wandb.Run:
    """Begin a run; what was not asked is as W&B's own variables and settings have it, else the project's default."""
    spec.folder.mkdir(parents=True, exist_ok=True)
    at = facts.coordinates
    return wandb.init(
        dir=spec.folder,
        mode=mode,
        project=spec.project or users.project or PROJECT,
        entity=spec.entity,
        group=spec.group or users.run_group or at["method"],
        tags=[*(users.run_tags or ()), at["method"], at["task"], at["scale"]],
        name=users.run_name or facts.title,
        id=facts.run_id,
        resume="allow",
        reinit="create_new",  # no run of this process is W&B's global one
        config={**at, "spec": dict(facts.spec)},
        settings=wandb.Settings(
            silent=True,
            console="off",
            host="",
            save_code=False,
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            label_disable=True,
            init_timeout=INIT_S,
            finish_timeout=FINISH_S,
            finish_timeout_raises=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_disable_stats=True,
            x_save_requirements=False,
            x_transaction_log_flush_interval=_FLUSH_S,
        ),
    )
