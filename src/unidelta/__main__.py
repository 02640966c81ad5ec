"""`python -m unidelta COMMAND`: the same as `unidelta COMMAND`."""

import sys

from unidelta.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
