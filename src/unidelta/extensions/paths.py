"""Where the project's own files are: `conf/` beside the sources in a checkout, inside the package when installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = PACKAGE.parent.parent

CONF = _CHECKOUT / "conf" if (_CHECKOUT / "conf").is_dir() else PACKAGE / "conf"
