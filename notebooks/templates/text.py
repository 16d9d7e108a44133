# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A text classifier
#
# This notebook runs as it is, on a model of the course. Put your own model and input in the cells marked **yours**, and a sentence of your own in place of every `...`. Lesson 14 of the course explains each step.
#
# - **Who asks, and what for?** ...
# - **F is** the probability of the label that the model chose, because ...
# - **x is** the word embeddings of the text; special tokens keep theirs.
# - **x' is** the padding token in each place, because ...
# - **I expect** ..., and what would prove me wrong is ...

# %%
import torch

import igteach
from igteach import show
from igteach.models import text

device = igteach.device()

# %% [markdown]
# ## The model and the input (yours)

# %%
# yours: text.from_pretrained("your-folder", device)
classifier = text.load("question_types", device)
words = "How many people live in the largest city of Italy?"
answer = igteach.token_attribution(classifier, words, baseline="pad")

# %% [markdown]
# ## F, and what the model's users see
#
# Compute what users see by your application's own code, in its usual batches. The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
target = classifier.number(answer.target)
seen = classifier.probabilities([words])[0, target].item()  # yours: your application's
F = answer.evidence.f_input.item()
print(answer.target, f"F(x) = {F:.3f}, users see {seen:.3f}")

# %% [markdown]
# ## The baseline (yours)
#
# Look at everything that the model says at x': would you say that it says nothing? F(x') near 0 may mean that it is sure of another class.

# %%
print(f"F(x') = {answer.evidence.f_baseline.item():.3f}, and the model says at x':")
nothing = answer.f(torch.zeros(1, len(answer.tokens), device=device))[0]
for label, chance in zip(classifier.labels, nothing.tolist(), strict=True):
    print(f"    {label}: {chance:.3f}")

# %% [markdown]
# ## The attribution
#
# If the verdict is not good enough, pass a smaller `tolerance=`. If that does not help, walk the tree of lesson 14, with `answer.f(alpha * torch.ones(1, n))` for F along the path of n tokens.

# %%
print(answer.evidence.verdict)

# %%
show.text(answer)

# %% [markdown]
# ## The report, with its controls (yours: another baseline)
#
# Mind every control that complains, and say so in `notes`, with what only you know: why this F and this x', what users see, and the outcome of your test.

# %%
other = igteach.token_attribution(classifier, words, baseline="mask")
igteach.write_report(
    answer,
    path="reports/text.html",
    title=f"Why {answer.target}?",
    other_baselines={"mask": other},
    notes="...",
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
# yours: without the words that count
changed = "Which people live in the largest city of Italy?"
print(changed, f"F = {classifier.probabilities([changed])[0, target].item():.3f}")
