# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A language model
#
# This notebook runs as it is, on a model of the course. Put your own model and input in the cells marked **yours**, and a sentence of your own in place of every `...`. Lesson 14 of the course explains each step.
#
# - **Who asks, and what for?** ...
# - **F is** the logit of one next token minus that of another, because ...
# - **x is** the embeddings of the prompt.
# - **x' is** another prompt of as many tokens, because ...
# - **I expect** ..., and what would prove me wrong is ...

# %%
import math

import igteach
from igteach import show
from igteach.models import lookup, smollm2
from igteach.models.language import LanguageModel

device = igteach.device()

# %% [markdown]
# ## The model and the input (yours)

# %%
# yours: LanguageModel(model, tokenizer), both of transformers
if smollm2.find():
    model = smollm2.load(device)
    prompt, other = "My sister is a nurse and", "My brother is a pilot and"
    target, against = " she", " he"
else:  # run `igteach fetch` to have the language model of lesson 13
    model = lookup.load(device)
    prompt, other = "k3 v7 k1 v2 k3", "k1 v7 k3 v2 k1"
    target, against = "v7", "v2"
answer = igteach.token_attribution(
    model, prompt, target, against=against, baseline=other
)

# %% [markdown]
# ## F, and what the model's users see
#
# Compute what users see by your application's own code, in its usual batches. The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
chances = dict(model.likeliest(prompt, 1000))
for token, chance in list(chances.items())[:3]:
    print(f"{token!r:12s}{chance:.3f}")
ratio = math.log(chances[target] / chances[against])  # yours: your application's
F = answer.evidence.f_input.item()
print(f"F(x) = {F:.2f}: {answer.f_name}; users see a ratio of exp({ratio:.2f})")

# %% [markdown]
# ## The baseline (yours)
#
# Look at everything that the model says at x': would you say that it says nothing? F(x') near 0 may mean that it is sure of another class.

# %%
for token, chance in model.likeliest(other, 3):
    print(f"{token!r:12s}{chance:.3f}")
print(f"F(x') = {answer.evidence.f_baseline.item():.3f}")

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
mean = igteach.token_attribution(
    model, prompt, target, against=against, baseline="mean"
)
igteach.write_report(
    answer,
    path="reports/language.html",
    title=f"Why {target}?",
    other_baselines={"mean": mean},
    notes="...",
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
strongest = int(answer.scores.abs().argmax())
print("the token that counts most:", repr(answer.tokens[strongest]))
# yours: a prompt in which this token alone is another one, and what comes next
