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
import igteach
from igteach import show
from igteach.models import text

device = igteach.device()

# %% [markdown]
# ## The model and the input (yours)

# %%
# yours: text.from_pretrained("your-folder", device)
classifier = text.load("question_types", device)
words = "How many people live in Rome?"
answer = igteach.token_attribution(classifier, words, baseline="pad")

# %% [markdown]
# ## F, and what the model's users see
#
# The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
target = classifier.number(answer.target)
seen = classifier.probabilities([words])[0, target].item()  # yours: your application's
F = answer.evidence.f_input.item()
print(answer.target, f"F(x) = {F:.3f}, users see {seen:.3f}")

# %% [markdown]
# ## The baseline (yours)
#
# Look at F(x'): would you say that x' says nothing?

# %%
print(f"F(x') = {answer.evidence.f_baseline.item():.3f}")

# %% [markdown]
# ## The attribution
#
# If the verdict is not good enough, pass a smaller `tolerance=`. If that does not help, walk the tree: does F answer twice alike? Is a linear F exact? Where on the path is the sum lost?

# %%
print(answer.evidence.verdict)

# %%
show.text(answer)

# %% [markdown]
# ## The report, with its controls (yours: another baseline)
#
# Mind every control that complains, and say so in `notes`.

# %%
igteach.write_report(
    answer, path="reports/text.html", title=f"Why {answer.target}?", notes="..."
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
changed = "Which people live in Rome?"  # yours: without the words that count
print(changed, f"F = {classifier.probabilities([changed])[0, target].item():.3f}")
