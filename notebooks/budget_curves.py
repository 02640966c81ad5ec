# %% [markdown]
# # Scores against the number of tuned parameters
#
# From the committed records of the miniature; what they do not have yet is not drawn.

# %%
import os
from pathlib import Path

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "results/paper").is_dir()))

from unidelta.analysis.draw import rendered
from unidelta.analysis.figures import comparison, data
from unidelta.analysis.published import published
from unidelta.analysis.render import to_markdown
from unidelta.analysis.source import read

runs = read("records", scale="mini")
figure = comparison("fig4", runs, published())
print(to_markdown(data(figure)).partition("To fill")[0])

# %%
png = rendered(figure)["png"]
if "get_ipython" in globals():
    from IPython.display import Image, display

    display(Image(png))

# %% [markdown]
# Every run on mini-XSum with its share, whatever its size: mean ROUGE-2 by method and position.

# %%
summaries = runs.frame[(runs.frame["task"] == "xsum") & (runs.frame["status"] == "complete")]
by_size = summaries.groupby(["method", "position", "percent"])["rouge2"]
print(by_size.agg(["mean", "std", "count"]).round(2).sort_values("mean").to_string())
