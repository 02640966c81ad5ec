# %% [markdown]
# # Scores against the number of tuned parameters
#
# Any runs, by three functions: `unidelta.runs` reads records, `unidelta.board` has a row for each setting, and
# `unidelta.curve` draws them. Here they read the committed records of the miniature.

# %%
import os
from pathlib import Path

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results/paper").is_dir()))

import unidelta

runs = unidelta.runs("results/mini")
print(len(runs), "runs on", ", ".join(sorted(set(runs["task"]))))

# %% [markdown]
# A point is the mean of the runs of one setting; several learning rates at one point become the one that is best on
# dev. What is not shown is counted below the figure.

# %%
unidelta.curve(runs, task="xsum")

# %% [markdown]
# The same runs as a board. ★ or `pareto`: no other setting scores as well with fewer parameters.

# %%
unidelta.board(runs, task="xsum").head(12).round(2)

# %% [markdown]
# The search for learning rates, a line for each method. **Change** `task` to `"mnli"`, or `by` to `("position",)`.

# %%
trials = unidelta.runs("results/mini/tuning")
unidelta.curve(trials, task="xsum", x="training.learning_rate", by=("method",))
