"""TensorBoard: scalars of every step, and the design and the result as text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from unidelta.records.record import RunRecord
from unidelta.records.strict_json import without_non_finite
from unidelta.tracking.spec import TrackingSpec
from unidelta.tracking.tracker import RunFacts, summary, table

_FLUSH_S = 5  # what a killed run may lose


class EventFiles:
    """Event files in `<folder>/tensorboard/<run_id>`.

    Raises:
        ImportError: the package tensorboard is not installed (`check_tracking` says so before).
    """

    def __init__(self, spec: TrackingSpec, facts: RunFacts) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.state: dict[str, str | None] = {}
        folder = spec.folder / "tensorboard" / facts.run_id
        self._writer = SummaryWriter(log_dir=str(folder), flush_secs=_FLUSH_S)
        self._writer.add_text("coordinates", _code(facts.coordinates))
        self._writer.add_text("spec", _code(facts.spec))

    def log(self, entry: Mapping[str, float]) -> None:
        """Every number of the entry at its step; a norm that overflowed in fp16 has none."""
        for name, value in entry.items():
            if name != "step" and value is not None:
                self._writer.add_scalar(name, value, global_step=int(entry["step"]))

    def finish(
        self, record: RunRecord | None, predictions: Sequence[Mapping[str, Any]] = (), *, exit_code: int
    ) -> None:
        """Write the record's numbers, its provenance and the first predictions, and close the files."""
        if record is not None:
            step = int(record.cost["steps"])
            for name, value in summary(record).items():
                if isinstance(value, int | float):
                    self._writer.add_scalar(name, value, global_step=step)
            self._writer.add_text("provenance", _code(record.provenance), global_step=step)
            columns, rows = table(predictions)
            if rows:
                lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows)
                self._writer.add_text("predictions", "\n".join(f"    {line}" for line in lines), global_step=step)
        self._writer.add_scalar("exit_code", exit_code)
        self._writer.close()


def _code(content: Mapping[str, Any]) -> str:
    """JSON as Markdown shows it: indented by four."""
    text = json.dumps(without_non_finite(dict(content))[0], indent=1, ensure_ascii=False)
    return "\n".join(f"    {line}" for line in text.splitlines())
