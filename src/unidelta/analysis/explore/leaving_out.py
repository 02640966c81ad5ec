"""The best of several settings on dev, never on test, stands for all of them; and which runs are not shown, and why."""

import math
from collections import Counter
from collections.abc import Sequence

from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.differences import differing
from unidelta.analysis.explore.setting import Setting


def without_lost(settings: Sequence[Setting], accounts: Accounts) -> list[Setting]:
    """The settings that have a score; runs without one are counted."""
    for one in settings:
        for status, n in Counter(str(run["status"]) for run in one.runs if run["status"] != "complete").items():
            accounts.leave_out("they did not complete", n, detail=status)
        accounts.leave_out("their score is missing", one.n_without)
    return [one for one in settings if one.score.n]


def chosen(settings: Sequence[Setting], accounts: Accounts) -> Setting | None:
    """The best on dev; the runs of the others are counted, with what they differ by.

    None, and all of them are counted, where there is nothing to choose by.
    """
    best = best_on_dev(settings)
    for one in settings:
        if one is not best and best is not None:
            names = " and ".join(differing([best, one]))
            accounts.leave_out(
                "another setting of the same point is better on dev", one.score.n, detail=f"{names}:" if names else ""
            )
        elif best is None:
            why = "several settings share a point, and no dev score says which is best; --by NAME draws a line each"
            accounts.leave_out(why, one.score.n, detail=" and ".join(differing(settings)))
    return best


def best_on_dev(settings: Sequence[Setting]) -> Setting | None:
    """The setting with the best mean dev score; None if there are several and no dev score to choose by.

    Where means are equal, or a setting has no dev score, the lowest mean dev loss decides, then the number of seeds. A
    setting of which a run has no score comes after those that are whole.

    Args:
        settings: at least one, each with a score. Dev scores are of the task's headline, whatever they are scored in.
    """
    if len(settings) == 1:
        return settings[0]
    candidates = [one for one in settings if not one.lost] or list(settings)
    scores = [one.mean("dev") for one in candidates]
    losses = [one.mean("dev_loss") for one in candidates]
    has_scores, has_losses = (not any(map(math.isnan, values)) for values in (scores, losses))
    if len(candidates) > 1 and not has_scores and not has_losses:
        return None
    sign = -1.0 if candidates[0].is_low_good(candidates[0].runs[0]["metric"]) else 1.0

    def merit(index: int) -> tuple[float, float, int]:
        score = round(sign * scores[index], 9) if has_scores else 0.0
        return score, -losses[index] if has_losses else 0.0, candidates[index].score.n

    return candidates[max(range(len(candidates)), key=merit)]
