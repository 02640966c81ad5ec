# %% [markdown]
# # A method of one's own, compared
#
# A method is a file of a few lines (docs/extending.md), or, as here, axes that nobody has combined: a sequential
# adapter at attention whose output is scaled by 4. It is trained beside LoRA for a few steps, which says that it works
# and not how good it is.

# %%
import contextlib
import io
import os
import tempfile

os.environ.setdefault("WANDB_MODE", "disabled")

from unidelta.config.compose import compose
from unidelta.run.run import run

results = tempfile.mkdtemp()
common = "task=sst2 training.max_steps=20 training.eval_every=10 task.max_train_examples=200".split()
common += "task.max_eval_examples=50 training.progress=false tracking=none".split()
designs = {
    "LoRA": ["method=lora"],
    "mine": ["method=adapter", "position=attn", "composition=scaled", "composition.scale=4"],
}
seeds = (1,)
for design, seed in ((design, seed) for design in designs.values() for seed in seeds):
    with contextlib.redirect_stdout(io.StringIO()):  # what a run says of itself; its record has all of it
        run(compose([*design, *common, f"seed={seed}", f"results_dir={results}"]), command=["notebook"])

# %%
import unidelta

runs = unidelta.runs(results)
print(len(runs), "runs")
unidelta.board(runs)

# %% [markdown]
# Their difference. One seed has no interval: **change** `seeds` above to `(1, 2, 3)`, or the design of `mine`.

# %%
unidelta.compare(runs[runs["method"] == "adapter"], runs[runs["method"] == "lora"])

# %% [markdown]
# From the command line: `python train.py -m method=… seed=1,2,3 results_dir=results/mine`, then `python report.py board
# --source results/mine`, and `curve` and `compare` likewise.
