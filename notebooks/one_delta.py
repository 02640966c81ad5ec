# %% [markdown]
# # One delta by hand: prefix tuning is a gated addition
#
# Eq. 7–10 of the paper: attention over a prefix's keys and values in front of the input's own is
# $(1-\lambda)\,\mathrm{Attn}(q, K, V) + \lambda\,\mathrm{softmax}(q P_k^\top) P_v$. The cells below compute both sides.

# %%
import torch

torch.manual_seed(0)
n_queries, n_keys, length, width = 5, 7, 3, 4
q = torch.randn(n_queries, width, dtype=torch.float64)
K, V = torch.randn(2, n_keys, width, dtype=torch.float64)
P_k, P_v = torch.randn(2, length, width, dtype=torch.float64)

with_prefix = torch.softmax(q @ torch.cat([P_k, K]).T, dim=-1) @ torch.cat([P_v, V])  # Eq. 7, left

# %% [markdown]
# λ is the share of the attention weights that falls on the prefix (Eq. 8).

# %%
on_prefix, on_input = (q @ P_k.T).exp().sum(-1, keepdim=True), (q @ K.T).exp().sum(-1, keepdim=True)
gate = on_prefix / (on_prefix + on_input)
alone = torch.softmax(q @ K.T, dim=-1) @ V
delta = torch.softmax(q @ P_k.T, dim=-1) @ P_v
gated = (1 - gate) * alone + gate * delta
print("largest difference:", f"{(with_prefix - gated).abs().max().item():.1e}")
assert torch.allclose(with_prefix, gated, atol=1e-12)

# %% [markdown]
# With ReLU instead of softmax, `delta` is a parallel adapter of bottleneck `length` that reads the query (Eq. 10), made
# of the same two matrices. The other difference between the two is the gate.

# %%
adapter = torch.relu(q @ P_k.T) @ P_v
print("prefix: ", delta[0].numpy().round(3))
print("adapter:", adapter[0].numpy().round(3))
print("gate:   ", gate.squeeze().numpy().round(3))

# %% [markdown]
# **Change** `length` above to 1 or to 50: a longer prefix takes more of the attention, and the gate rises.
