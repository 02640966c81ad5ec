# %% [markdown]
# # Compare your own method
#
# A method can be a file of a few lines (docs/extending.md) or, as here, a new combination of axes: a sequential adapter
# at attention whose output is scaled by 4. It and LoRA are trained for a few steps, which shows that the method works
# but not how good it is.

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
    with contextlib.redirect_stdout(io.StringIO()):  # hides the run's log; the record has everything
        run(compose([*design, *common, f"seed={seed}", f"results_dir={results}"]), command=["notebook"])

# %%
import unidelta

runs = unidelta.runs(results)
print(len(runs), "runs")
unidelta.board(runs)

# %% [markdown]
# The difference of the two. One seed gives no interval: **change** `seeds` above to `(1, 2, 3)`, or the design of
# `mine`.

# %%
unidelta.compare(runs[runs["method"] == "adapter"], runs[runs["method"] == "lora"])

# %% [markdown]
# On the command line, type `python train.py -m method=… seed=1,2,3 results_dir=results/mine` and then
# `python report.py board --source results/mine`; `curve` and `compare` work in the same way.
