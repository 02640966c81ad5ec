"""The paths of the project's own files: in a checkout, or in the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = PACKAGE.parent.parent

_IS_CHECKOUT = (_CHECKOUT / "conf").is_dir()

CONF = (_CHECKOUT if _IS_CHECKOUT else PACKAGE) / "conf"
PUBLISHED = _CHECKOUT / "results" / "paper" if _IS_CHECKOUT else PACKAGE / "published" / "paper"
PLAN = _CHECKOUT / "results" / "plan.json" if _IS_CHECKOUT else PACKAGE / "published" / "plan.json"
SWEEPS = (_CHECKOUT if _IS_CHECKOUT else PACKAGE) / "sweeps"

_HERE = Path("results")
RESULTS = _CHECKOUT / _HERE if _IS_CHECKOUT and not _HERE.is_dir() else _HERE
"""The records that are reported by default: those of the working directory, or where it has none, the checkout's."""
