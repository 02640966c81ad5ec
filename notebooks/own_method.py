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

from unidelta.analysis.source import read
from unidelta.config.compose import compose
from unidelta.run.run import run

results = tempfile.mkdtemp()
common = "task=sst2 training.max_steps=20 training.eval_every=10 task.max_train_examples=200".split()
common += "task.max_eval_examples=50 training.progress=false tracking=none".split()
designs = {
    "LoRA": ["method=lora"],
    "mine": ["method=adapter", "position=attn", "composition=scaled", "composition.scale=4"],
}
for design in designs.values():
    with contextlib.redirect_stdout(io.StringIO()):  # what a run says of itself; its record has all of it
        run(compose([*design, *common, f"results_dir={results}"]), command=["notebook"])

# %%
frame = read(results, scale="mini").frame
print(frame[["method", "position", "percent", "test"]].to_string(index=False))

# %% [markdown]
# As a sweep with several seeds, and a table of its own: `python train.py -m method=… seed=1,2,3
# results_dir=results/mine`, then `python report.py table6 --source results/mine`.
