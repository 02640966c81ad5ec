"""The paper's tables and figures, from the records of runs: `python report.py table3`."""

import sys

from unidelta.console.garbage import paused_garbage_collection

with paused_garbage_collection():  # pandas, scipy and matplotlib
    from unidelta.analysis.command import main

if __name__ == "__main__":
    sys.exit(main())
