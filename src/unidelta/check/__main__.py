"""`python -m unidelta.check`."""

import sys

from unidelta.check.command import main

if __name__ == "__main__":
    sys.exit(main())
