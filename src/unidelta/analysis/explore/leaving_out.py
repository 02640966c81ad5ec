"""Which runs of chosen settings are not shown, and why."""

from collections import Counter
from collections.abc import Sequence

from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.best import best_on_dev
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
            why = "several settings are at one point, and no dev score says which is best; --by NAME draws a line each"
            accounts.leave_out(why, one.score.n, detail=" and ".join(differing(settings)))
    return best
