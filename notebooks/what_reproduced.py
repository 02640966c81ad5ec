# %% [markdown]
# # What reproduced and what did not
#
# The paper's comparisons, tested on the committed runs of the miniature. A verdict is about the miniature: its worlds
# and its backbones are not the paper's. How it is tested: docs/statistics.md.

# %%
import os
from pathlib import Path

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results/paper").is_dir()))

from unidelta.analysis.claims import claims
from unidelta.analysis.claims_page import group_table, overview
from unidelta.analysis.published import published
from unidelta.analysis.render import to_markdown
from unidelta.analysis.source import read
from unidelta.analysis.verdicts import verdicts

figures, runs = published(), read("records", scale="mini")
found = verdicts(claims(figures), runs, figures)
print(to_markdown(overview(found)))

# %% [markdown]
# One group in full: does parallel insertion beat sequential insertion?

# %%
print(to_markdown(group_table("C4", found, "mini")))
