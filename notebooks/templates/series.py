# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A series
#
# This notebook runs as it is, on a model of the course. Put your own model and input in the cells marked **yours**, and a sentence of your own in place of every `...`. Lesson 14 of the course explains each step.
#
# - **Who asks, and what for?** ...
# - **F is** the log odds after the last step, because ...
# - **x is** the series, (1, steps, channels), without padding.
# - **x' is** zero at every step, because ...
# - **I expect** ..., and what would prove me wrong is ...

# %%
import torch
from torch import nn

import igteach
from igteach import show
from igteach.datasets.series import make_waves
from igteach.models.series import SeriesGRU

# %% [markdown]
# ## The model and the input (yours)

# %%
torch.manual_seed(0)
f = SeriesGRU()
optimizer = torch.optim.Adam(f.parameters(), lr=0.02)
for step in range(200):
    waves, noise = make_waves(64, seed=step), 0.3 * torch.randn(32, 30, 1)
    truth = torch.cat([waves.y.float(), torch.full((32,), 0.5)])
    odds = f(torch.cat([waves.x, noise]))
    loss = nn.functional.binary_cross_entropy_with_logits(odds, truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
f.eval()
x = make_waves(1, seed=1000).x

# %% [markdown]
# ## F, and what the model's users see
#
# Compute what users see by your application's own code, in its usual batches. The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
seen = f(x).sigmoid().item()  # yours: as your application computes it
F = f(x)
print(
    f"F(x) = {F.item():.3f}; its sigmoid {F.sigmoid().item():.3f}, users see {seen:.3f}"
)

# %% [markdown]
# ## The baseline (yours)
#
# Look at everything that the model says at x': would you say that it says nothing? F(x') near 0 may mean that it is sure of another class.

# %%
baseline = torch.zeros_like(x)
print(f"F(x') = {f(baseline).item():.3f}")

# %% [markdown]
# ## The attribution
#
# If the verdict is not good enough, pass a smaller `tolerance=`. If that does not help, walk the tree: does F answer twice alike? Is a linear F exact? Where on the path is the sum lost?

# %%
answer = igteach.integrated_gradients(f, x, baseline)
print(answer.verdict)

# %%
show.attribution(answer)

# %% [markdown]
# ## The report, with its controls (yours: another baseline)
#
# Mind every control that complains, and say so in `notes`, with what only you know: why this F and this x', what users see, and the outcome of your test.

# %%
igteach.write_report(
    answer,
    f,
    x,
    baseline,
    path="reports/series.html",
    title="Why this series?",
    other_baselines={"its mean": x.mean(dim=1, keepdim=True)},
    notes="...",
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
strongest = answer.values.abs() >= answer.values.abs().quantile(0.75)
changed = torch.where(strongest, baseline, x)
print(f"without the strongest quarter: F = {f(changed).item():.3f}")
