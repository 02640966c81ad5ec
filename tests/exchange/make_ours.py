"""Write the backbones of the golden files and what this project exports, for `make_theirs.py` to load.

    python -m tests.exchange.make_ours FOLDER

`FOLDER/backbones/<family>` are stock folders, `FOLDER/ours/<library>/<family>/<case>` exported deltas.
"""

import sys
from pathlib import Path

from safetensors.torch import save_file

from unidelta.exchange.exporting import export

from .cases import ADAPTERS, PEFT, batch, design_of, moved, stock


def make(folder: Path) -> None:
    for family in PEFT:
        stock(family).save_pretrained(folder / "backbones" / family)
        save_file(batch(family), folder / "backbones" / family / "batch.safetensors")
    for library, table in (("peft", PEFT), ("adapters", ADAPTERS)):
        for family, cases in table.items():
            for name, parts in cases.items():
                deltas = moved(stock(family), design_of(family, parts))
                export(deltas, folder / "ours" / library / family / name, to=library)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
