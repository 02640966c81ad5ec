"""The paper's tables and figures, from the records of runs: `python report.py table3`."""

import sys

from unidelta.lasting import lasting

with lasting():  # pandas, scipy and matplotlib
    from unidelta.analysis.command import main

if __name__ == "__main__":
    sys.exit(main())
