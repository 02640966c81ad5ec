# %% [markdown]
# # The design space by hand
#
# Every method of the paper is a functional form with a position, an insertion, a composition and a size. This notebook
# composes some methods and counts their parameters. It trains nothing and reads no weights.

# %%
from unidelta.config.compose import compose
from unidelta.errors import UserError
from unidelta.run.describe import design_text
from unidelta.run.prepare import prepare

for method in ("prefix", "adapter", "lora", "mam"):
    print(design_text(prepare(compose([f"method={method}", "task=xsum"]))), end="\n\n")

# %% [markdown]
# Change one axis at a time: the sequential adapter becomes the parallel one, and then the scaled one (Table 5).

# %%
for changed in ([], ["insertion=parallel"], ["insertion=parallel", "composition=scaled", "composition.scale=4"]):
    print(design_text(prepare(compose(["method=adapter", "position=ffn", "task=xsum", *changed]))), end="\n\n")

# %% [markdown]
# An impossible combination is refused, and the error says what to type instead.

# %%
try:
    prepare(compose(["method=prefix", "position=ffn"]))
except UserError as error:
    print(error)

# %% [markdown]
# A budget is a share of the parameters; the bottleneck follows from it. **Change** the method or the shares.

# %%
for percent in (0.5, 3.6, 6.7):
    spec = prepare(compose(["method=lora", "task=xsum", "budget=percent", f"budget.percent={percent}"]))
    print(design_text(spec), end="\n\n")
