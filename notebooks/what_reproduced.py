# %% [markdown]
# # Which of the paper's findings reproduce?
#
# This notebook tests the paper's comparisons on the committed runs of the miniature. A verdict holds for the miniature,
# whose world and backbones are not the paper's. docs/protocol.md says how claims are tested and what was fixed before
# the runs.

# %%
import os
from pathlib import Path

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results/paper").is_dir()))

import unidelta
from unidelta.analysis.claims import claims
from unidelta.analysis.claims_page import group_table, overview
from unidelta.analysis.findings import findings
from unidelta.analysis.plan import plan_for
from unidelta.analysis.published import published
from unidelta.analysis.source import read
from unidelta.analysis.verdicts import verdicts

figures, records = published(), read("records", scale="mini")
every = claims(figures)
found = verdicts(every, records, figures, plan_for("mini", every))
print("\n".join(findings(found, records)))

# %%
overview(found)

# %% [markdown]
# One group in full: does parallel insertion beat sequential insertion?

# %%
group_table("C4", found, "mini")

# %% [markdown]
# Any two sets of runs can be compared: the difference, its interval, and about how many seeds would decide it.
# **Change** a method or the position.

# %%
runs = unidelta.runs("results/mini/main")
at_ffn = runs[runs["position"] == "ffn"]
parallel, sequential = (at_ffn[at_ffn["method"] == method] for method in ("parallel_adapter", "adapter"))
unidelta.compare(parallel, sequential).round(2)
