# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A table
#
# This notebook runs as it is, on a model of the course. Put your own model and input in the cells marked **yours**, and a sentence of your own in place of every `...`. Lesson 14 of the course explains each step.
#
# - **Who asks, and what for?** ...
# - **F is** the log odds of one class, because ...
# - **x is** one row of the table, with the names of its columns.
# - **x' is** the median row, because ...
# - **I expect** ..., and what would prove me wrong is ...

# %%
import pandas as pd
from lightgbm import LGBMClassifier
from scipy.special import expit

import igteach
from igteach import show
from igteach.datasets import load_patients

# %% [markdown]
# ## The model and the input (yours)

# %%
# yours: a tree model of scikit-learn, XGBoost or LightGBM. For a network take
# igteach.integrated_gradients in place of igteach.tree_integrated_gradients below.
known = load_patients()
table = pd.DataFrame(known.x_train.numpy(), columns=known.names)
model = LGBMClassifier(n_estimators=60, verbose=-1, n_jobs=1)
model.fit(table, known.y_train.numpy())
unseen = pd.DataFrame(known.x_test.numpy(), columns=known.names)
row = unseen[known.y_test.numpy() == 1].iloc[[0]]

# %% [markdown]
# ## F, and what the model's users see
#
# Compute what users see by your application's own code, in its usual batches. The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
seen = model.predict_proba(row)[0, 1]  # yours: as your application computes it
raw = model.predict(row, raw_score=True)[0]  # LightGBM's; XGBoost has output_margin
print(f"F(x) = {raw:.3f}; its sigmoid {expit(raw):.3f}, users see {seen:.3f}")

# %% [markdown]
# ## The baseline (yours)
#
# Look at everything that the model says at x': would you say that it says nothing? F(x') near 0 may mean that it is sure of another class.

# %%
baseline = table.median()
raw = model.predict(baseline.to_frame().T, raw_score=True)[0]
print(f"F(x') = {raw:.3f}")

# %% [markdown]
# ## The attribution
#
# If the verdict is not good enough, pass a smaller `tolerance=`. If that does not help, walk the tree: does F answer twice alike? Is a linear F exact? Where on the path is the sum lost?

# %%
answer = igteach.tree_integrated_gradients(model, row, baseline)
print(f"F(x) = {answer.f_input.item():.3f}", answer.verdict)

# %%
show.attribution(answer)

# %% [markdown]
# ## The report, with its controls (yours: another baseline)
#
# Mind every control that complains, and say so in `notes`, with what only you know: why this F and this x', what users see, and the outcome of your test.

# %%
igteach.write_report(
    answer,
    model,
    row,
    baseline,
    path="reports/table.html",
    title="Why this row?",
    other_baselines={"mean": table.mean()},
    notes="...",
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
strongest = answer.to_dataframe().iloc[0].abs().idxmax()
changed = row.assign(**{strongest: baseline[strongest]})
raw = model.predict(changed, raw_score=True)[0]
print(f"with the median of {strongest}: F = {raw:.3f}")
