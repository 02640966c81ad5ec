"""What became of every run: shown, or not shown and why. The numbers add up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_N_NAMED = 6


@dataclass(slots=True, kw_only=True)
class Accounts:
    """Counts of runs.

    Args:
        n_runs: all that were given.
        left_out: those that are not shown, by reason; a reason completes “not shown, because …”.
        details: of a reason, counts by name, e.g. tasks.
    """

    n_runs: int
    left_out: Counter[str] = field(default_factory=Counter[str])
    details: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def leave_out(self, reason: str, n: int = 1, *, detail: str = "") -> None:
        """Count runs that are not shown."""
        if n:
            self.left_out[reason] += n
        if n and detail:
            self.details.setdefault(reason, Counter())[detail] += n

    @property
    def n_shown(self) -> int:
        """All the others."""
        return self.n_runs - self.left_out.total()

    def sentences(self) -> tuple[str, ...]:
        """`10 of 65 runs shown.`, then a line for each reason, the largest first."""
        return (f"{self.n_shown} of {_counted(self.n_runs)} shown.", *self._reasons())

    def _reasons(self) -> Iterable[str]:
        for reason, n in self.left_out.most_common():
            counts = self.details.get(reason, Counter())
            named = [f"{name} {count}" for name, count in counts.most_common(_N_NAMED)]
            if len(counts) > _N_NAMED:
                named.append(f"and {len(counts) - _N_NAMED} more")
            details = f" ({', '.join(named)})" if named else ""
            yield f"{_counted(n)} not shown, because {reason}{details}."


def _counted(n: int) -> str:
    """`1 run`, `2 runs`."""
    return f"{n:,} run{'' if n == 1 else 's'}"
