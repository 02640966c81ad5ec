"""When a run counts as diverged: it is stopped at once, and its record says so."""

import math
from collections.abc import Mapping
from typing import Any

# The first updates in fp16 overflow by design while the loss scale is found: 65536 halves to 1 in 16 steps.
_N_OVERFLOWS_ALLOWED = 16
# A loss this many times the first one (or 1 nat, for models that start near 0) is more than a spike if it persists.
_EXPLOSION_FACTOR = 10
_N_EXPLODED_STEPS = 10


class DivergenceGuard:
    """Detects a logged loss or gradient norm that is not finite, or a loss that stays too high.

    Args:
        tolerates_overflow: whether single steps may have infinite gradients (fp16, where such a step is
            skipped and the loss scale halved).

    Attributes:
        reason: what happened and at which step; None while the run is healthy.
        n_overflows: steps skipped by the fp16 loss scaler.
    """

    def __init__(self, *, tolerates_overflow: bool) -> None:
        self._tolerates_overflow = tolerates_overflow
        self._first_loss: float | None = None
        self._n_exploded = self._n_overflows_in_a_row = 0
        self.reason: str | None = None
        self.n_overflows = 0

    def state(self) -> dict[str, Any]:
        """Its state during a healthy run, as JSON."""
        return {
            "first_loss": self._first_loss,
            "n_exploded": self._n_exploded,
            "n_overflows_in_a_row": self._n_overflows_in_a_row,
            "n_overflows": self.n_overflows,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved `state`."""
        self._first_loss, self._n_exploded = state["first_loss"], state["n_exploded"]
        self._n_overflows_in_a_row, self.n_overflows = state["n_overflows_in_a_row"], state["n_overflows"]

    def look(self, entry: Mapping[str, float]) -> None:
        """Check one history entry; the first fault found becomes the reason."""
        fault = self._fault(entry)
        if fault and self.reason is None:
            self.reason = f"{fault} at step {entry['step']}"

    def _fault(self, entry: Mapping[str, float]) -> str | None:
        for name in ("loss", "eval_loss"):
            if name in entry and not math.isfinite(entry[name]):
                return f"{name} {entry[name]}"
        if "loss" not in entry:
            return None
        return self._overflow(entry["grad_norm"]) or self._explosion(entry["loss"])

    def _overflow(self, grad_norm: float) -> str | None:
        if math.isfinite(grad_norm):
            self._n_overflows_in_a_row = 0
            return None
        self._n_overflows_in_a_row += 1
        self.n_overflows += self._tolerates_overflow
        is_tolerated = self._tolerates_overflow and self._n_overflows_in_a_row <= _N_OVERFLOWS_ALLOWED
        return None if is_tolerated else f"gradient norm {grad_norm}"

    def _explosion(self, loss: float) -> str | None:
        if self._first_loss is None:
            self._first_loss = loss
        is_exploded = loss > _EXPLOSION_FACTOR * max(self._first_loss, 1.0)
        self._n_exploded = self._n_exploded + 1 if is_exploded else 0
        if self._n_exploded < _N_EXPLODED_STEPS:
            return None
        return f"loss {loss:.3g}, {_N_EXPLODED_STEPS} steps above {_EXPLOSION_FACTOR} times the first,"
