"""`python -m unidelta.backbones from-gguf FILE DIR`: make a checkpoint folder of a GGUF file."""

import sys
from collections.abc import Sequence

from unidelta.backbones.gguf import from_gguf
from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ExitStatus
from unidelta.extensions.named_paths import path_argument


@as_command
def main(argv: Sequence[str] | None = None) -> ExitStatus:
    """Run a command.

    Args:
        argv: the words after `python -m unidelta.backbones`; None for the command line's.

    Returns:
        The exit status: 0, or 2 for a file that cannot be converted.
    """
    parser = Parser(prog=program("python -m unidelta.backbones"), description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("from-gguf", help="make a folder for backbone.checkpoint=DIR of a GGUF file")
    convert.add_argument("file", type=path_argument, metavar="FILE")
    convert.add_argument("folder", type=path_argument, metavar="DIR")
    asked = parser.parse_args(argv)
    family = from_gguf(asked.file, asked.folder)
    print(f"written to {asked.folder}; use it with backbone={family} backbone.checkpoint={asked.folder}")
    return ExitStatus.DONE


if __name__ == "__main__":
    sys.exit(main())
