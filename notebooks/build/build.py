"""Make every `.ipynb` from its source, executed: `python notebooks/build/build.py` (pip install -e ".[notebooks]")."""

from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1]

for source in sorted(FOLDER.glob("*.py")):
    notebook = jupytext.read(source)
    NotebookClient(notebook, timeout=600, record_timing=False, resources={"metadata": {"path": str(FOLDER)}}).execute()
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
        if cell["cell_type"] == "code":  # what libraries say on this machine is no part of the notebook
            cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(notebook, source.with_suffix(".ipynb"))
    print(f"wrote {source.with_suffix('.ipynb').name}")
