# %% [markdown]
# # Scores against the number of tuned parameters
#
# Three functions show any runs: `unidelta.runs` reads records, `unidelta.board` lists them with a row for each setting,
# and `unidelta.curve` draws them. Here they show the committed records of the miniature.

# %%
import os
from pathlib import Path

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results/paper").is_dir()))

import unidelta

runs = unidelta.runs("results/mini")
print(len(runs), "runs on", ", ".join(sorted(set(runs["task"]))))

# %% [markdown]
# A point is the mean of the runs of one setting. If several learning rates fall on one point, the best on dev is shown.
# The line below the figure counts what is not shown.

# %%
unidelta.curve(runs, task="xsum")

# %% [markdown]
# The same runs as a board. ★ (the column `pareto`) marks settings that no other matches with fewer parameters.

# %%
unidelta.board(runs, task="xsum").head(12).round(2)

# %% [markdown]
# The search for learning rates, with a line for each method. **Change** `task` to `"mnli"`, or `by` to `("position",)`.

# %%
trials = unidelta.runs("results/mini/tuning")
unidelta.curve(trials, task="xsum", x="training.learning_rate", by=("method",))
