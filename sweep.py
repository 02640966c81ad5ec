"""Run every job of a file in sweeps/: `python sweep.py mini_main`."""

import sys

from unidelta.sweeps.command import main

if __name__ == "__main__":
    sys.exit(main())
