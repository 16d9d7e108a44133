# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # An image classifier
#
# This notebook runs as it is, on a model of the course. Put your own model and input in the cells marked **yours**, and a sentence of your own in place of every `...`. Lesson 14 of the course explains each step.
#
# - **Who asks, and what for?** ...
# - **F is** the probability of the class that the model chose, because ...
# - **x is** the picture, (1, channels, height, width), as the model takes it.
# - **x' is** the picture, blurred, because ...
# - **I expect** ..., and what would prove me wrong is ...

# %%
import torch

import igteach
from igteach import baselines, show
from igteach.datasets.photographs import load_photograph
from igteach.models import imagenet

device = igteach.device()

# %% [markdown]
# ## The model and the input (yours)

# %%
model = imagenet.load(device)  # or one of transformers, which `probability` takes
x = imagenet.preprocess(load_photograph("coffee"))[None].to(device)
picture = imagenet.picture(x)[0]  # the same, in [0, 1], to be drawn beneath the map
labels = imagenet.class_names()

# %% [markdown]
# ## F, and what the model's users see
#
# Compute what users see by your application's own code, in its usual batches. The two numbers must be the same. If not, it is the wrong F: a softmax taken twice, another class, padding that is read, another preparation of the input.

# %%
f = igteach.probability(model)  # or igteach.logit(model)
target = int(f(x).argmax())
logits = model(x)  # of a Hugging Face model: model(x).logits
seen = logits.softmax(dim=1)[0, target].item()  # yours: your application's
print(labels[target], f"F(x) = {f(x)[0, target].item():.3f}, users see {seen:.3f}")

# %% [markdown]
# ## The baseline (yours)
#
# Look at everything that the model says at x': would you say that it says nothing? F(x') near 0 may mean that it is sure of another class.

# %%
side = x.shape[-1]
baseline = baselines.blur(x, sigma=side / 16)
print(f"F(x') = {f(baseline)[0, target].item():.3f}, and the model says at x':")
for chance, each in zip(*f(baseline)[0].topk(3), strict=True):
    print(f"    {labels[each]}: {chance:.3f}")

# %% [markdown]
# ## The attribution
#
# If the verdict is not good enough, pass a smaller `tolerance=`. If that does not help, walk the tree: does F answer twice alike? Is a linear F exact? Where on the path is the sum lost?

# %%
answer = igteach.integrated_gradients(f, x, baseline, target)
print(answer.verdict)

# %%
show.attribution(answer, picture, smooth=side / 75)

# %% [markdown]
# ## The report, with its controls (yours: another baseline)
#
# Mind every control that complains, and say so in `notes`, with what only you know: why this F and this x', what users see, and the outcome of your test.

# %%
others = {"mean colour": x.mean(dim=(2, 3), keepdim=True)}
igteach.write_report(
    answer,
    f,
    x,
    baseline,
    target,
    path="reports/image.html",
    title=f"Why {labels[target]}?",
    other_baselines=others,
    picture=picture,
    smooth=side / 75,
    notes="...",
)

# %% [markdown]
# ## The test
#
# Change the input so that the sentence that you believe must fail if it is false, and say what F did: ...

# %%
reach = side // 20  # pixels to each side that are averaged
torch.manual_seed(0)
shares = {"strongest": answer.values.sum(dim=1, keepdim=True)}
shares["random"] = torch.randn_like(shares["strongest"])
for name, each in shares.items():
    smooth = torch.nn.functional.avg_pool2d(each, 2 * reach + 1, 1, reach)
    changed = torch.where(smooth >= smooth.quantile(0.9), baseline, x)
    print(f"without the {name} tenth: F = {f(changed)[0, target].item():.3f}")
