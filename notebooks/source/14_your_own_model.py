# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 14 · Your own model
#
# **The question.** How do you explain a model that nobody prepared for you, and what do you hand to the person who asked?
#
# **You will be able to**
# - follow one checklist before, during and after an attribution, whatever the model;
# - adapt one of seven recipes to your model, and write a one-page report with its controls;
# - find out why a sum is off, however many steps you take;
# - notice when everything adds up, for the wrong F.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb), [lesson 05](05_computing_the_integral.ipynb) and [lesson 12](12_trust.ipynb). Each recipe names the lesson that it builds on.
#
# **Time.** 115 minutes, exercises included. The recipes can be read in any order; skip those for models that you do not have.
#
# **GPU.** It makes the photograph and the language model faster. The answers are the same.
#
# **Graded.** 120 seconds a cell, 300 seconds in all, 5 GB of memory. (These are the limits, if your course grades notebooks.)

# %%
import os
import tempfile

import torch
from torch import nn

import igteach
from igteach import baselines, show
from igteach.datasets import load_digits, load_patients, make_scenes
from igteach.datasets.photographs import load_photograph
from igteach.datasets.series import make_waves
from igteach.evaluate import relevance_mass
from igteach.exercises import check
from igteach.models import (
    broken,
    digits,
    imagenet,
    lookup,
    patients,
    scenes,
    smollm2,
    text,
)
from igteach.models.series import SeriesGRU

device = igteach.device()
if not os.access(".", os.W_OK):  # as where coursework is graded
    os.chdir(tempfile.mkdtemp())

# %% [markdown]
# ## The checklist
#
# Before the first gradient:
#
# 1. **Where is F read?** F is one number for each example: a logit, a probability ([08](08_image_models.ipynb)), the difference of two logits ([13](13_language_models.ipynb)), or the output of a regression. For a segmentation it is the logit at one place, `target=(class, row, column)`. For a region, take the mean of the class's logit over the pixels that the model assigns to the class at x. Keep these pixels fixed along the path, and never average over the whole picture. For a detector it is the class logit of one box that you name, read before the detector throws overlapping boxes away. For a sequence, it is the output at the step that your users read: the last real one, not padding.
# 2. **What is x?** Numbers that can move: pixels, measurements, embeddings. Never ids: there is nothing between word 17 and word 18 ([09](09_text_models.ipynb)).
# 3. **What says nothing?** The baseline is half of the question ([07](07_baselines.ipynb)). Print everything that the model says at x': F(x') near 0 may mean that it is sure of another class, and if F(x') is near F(x), there is almost nothing to attribute. If it is sure of another class wherever you start, name that class in the question: why 2 *rather than* 8? If you cannot defend one baseline, try two.

# %% [markdown] tags=["slide"]
# When you have an answer:
#
# 4. **Does it add up?** First the residual, then the error estimate: a sum may be right by luck ([05](05_computing_the_integral.ipynb)).
# 5. **If it does not** (the verdict says "NOT complete", or that single shares are not settled), ask for more accuracy with `tolerance=0.01`, and look at how much F changes from x' to x. But if the path starts from zeros, or from another point that the model never meets, change the baseline first. If that does not help, the second half of this lesson is for you.
# 6. **Is it the right F?** Compare F(x) with what the model's users see. Also in the second half.

# %% [markdown] tags=["slide"]
# Before you show it to anyone:
#
# 7. **Would a map that knows nothing look the same?** Compare with random gradients, with random weights, and with random orders of deletion ([12](12_trust.ipynb)). And would another baseline give another map?
# 8. **How is it shown?** With its sign, its unit, its baseline and its verdict ([08](08_image_models.ipynb)).
# 9. **What would prove you wrong?** Write down what you believe, and change the input so that a false belief must fail ([12](12_trust.ipynb)).
#
# Stop if F(x) is not what users see, if the verdict stays NOT complete, or if random weights give the same map.

# %% [markdown]
# `igteach.write_report` does 4 and 7, and most of 8. It writes one page that needs no internet and no scripts, and the same as JSON. What only you know (why this F and this x', what users see, your test) goes into `notes=`. Your reports go to the folder `reports` beside this notebook.
#
# It uses three terms. The *error estimate* is how far the shares may be off, as a fraction of all |shares|; `tolerance=` is the most that you allow, 5% by default. *Complete* means that the sum is right to within 1%, *roughly complete* to within 5%.
#
# ## Recipe 1: a network on photographs
#
# **F** is the probability of the class that the network chose. **x** is the photograph. **x'** is the same, blurred: from black, a black tripod gets no share ([07](07_baselines.ipynb)). Smooth the map for display, never the numbers ([08](08_image_models.ipynb)).
#
# **Predict.** Which of the controls will complain?

# %% tags=["nbval-ignore-output"]
f = igteach.probability(imagenet.load(device))
x = imagenet.preprocess(load_photograph("camera"))[None].to(device)
label = int(f(x).argmax())
blurred = baselines.blur(x, sigma=14.0)
answer = igteach.integrated_gradients(f, x, blurred, label)
users_see = imagenet.load(device)(x).softmax(dim=1).max().item()
report = igteach.write_report(
    answer,
    f,
    x,
    blurred,
    label,
    notes=f"Users see {users_see:.2f}; F(x) is {answer.f_input.item():.2f}.",
    path="reports/photograph.html",
    title=f"Why {imagenet.class_names()[label]}?",
    other_baselines={"black": imagenet.normalise(torch.zeros(1, 3, 1, 1))},
    picture=imagenet.picture(x)[0],
    smooth=3,
)
report


# %%
def complaints(report):
    """The controls that a report warns about."""
    names = [each["name"] for each in report.found["controls"] if not each["passed"]]
    print("complaints:", ", ".join(names) or "none")


complaints(report)

# %% [markdown]
# Two do. Random gradients times x - x' are strong in much the same pixels as the attribution: at a single pixel, *how much the blur changed it* matters more than the slope. So do not point at single pixels, and show the map smoothed. And from black it is another map, as lesson 07 said: name the baseline wherever you show it. The other two speak for the map: without its strongest pixels F falls sooner than by chance, and random weights give other shares. (Random gradients give much the same map, random weights a different one: can both be true? Yes. The test with random gradients compares strengths, which follow mostly from x - x'; that with random weights compares signs as well, and these come from the model.) Open the page and see how it reads.

# %% [markdown] tags=["slide"]
# ## Recipe 2: a vision transformer
#
# **F** and **x** are as before, now for lesson 08's scenes. **x'** is the mean colour, which has no shape. A transformer cuts the picture into patches. You can attribute to pixels and add up the shares of each patch; the total stays the same.
#
# **Predict.** Which map has more of its strength on the object, by pixels or by patches?

# %%
f = igteach.probability(scenes.load_vit(device))
drawn = make_scenes(40, seed=0)
x = drawn.x.to(device)
label = f(x).argmax(dim=1)
grey = x.mean(dim=(2, 3), keepdim=True).expand_as(x)
pixels = igteach.integrated_gradients(f, x, grey, label)
squares = igteach.groups.patches(64, 64, 8)
patches = pixels.grouped(squares)

# %% tags=["nbval-ignore-output"]
one = int((label.cpu() == drawn.y).nonzero()[0])
only = slice(one, one + 1)
report = igteach.write_report(
    pixels.example(one),
    f,
    x[only],
    grey[only],
    int(label[one]),
    path="reports/scene.html",
    picture=x[one],
)

# %%
complaints(report)

# %% tags=["nbval-ignore-output", "slide"]
show.attribution(patches, x[one], groups=squares, example=one)

# %% tags=["slide-goes-on"]
right = (label.cpu() == drawn.y).float().mean().item()
print(f"right on {show.rounded(right, 1)} of the scenes")
by_patch = patches.values[:, squares] / 64  # each pixel gets 1/64 of its patch
for name, each in {"pixels": pixels.values, "patches": by_patch[:, None]}.items():
    inside = relevance_mass(each, drawn.mask.to(device)).mean().item()
    print(f"{name:8s} {show.rounded(inside, 1)} of the strength on the object")
covered = drawn.mask.float().mean().item()
print(f"the object covers {show.rounded(covered, 2)} of the picture")

# %% [markdown] tags=["slide-goes-on"]
# Pixels. (The error estimate is within 5% for the pixels but, as the title says, not for the patches. In a patch shares cancel when added up, and their errors need not.) A patch at the edge of the object gives part of its share to the background. So if the question is *where*, take pixels; if you want few numbers that do not cancel, take patches. Either way the transformer looks where it should: the object covers little of the picture and gets about half of the strength, or more.

# %% [markdown]
# ## Recipe 3: a Hugging Face classifier from a folder
#
# Someone sends you a folder with `config.json`, `model.safetensors` and a tokenizer. The next cell makes such a folder: a BERT that sorts questions by the kind of answer they want, with a last layer fitted to the course's own questions.

# %% tags=["nbval-ignore-output"]
from sklearn.linear_model import LogisticRegression
from transformers import BertForSequenceClassification

from igteach.datasets.texts import load_questions

known = load_questions()
reader = text.load("question_types", "cpu")
encoder, labels = reader.model.encoder, list(reader.labels)
with torch.no_grad():
    batch = reader.tokenizer([q.text for q in known], padding=True, return_tensors="pt")
    states = encoder(**batch).pooler_output.double().numpy()
fitted = LogisticRegression(C=10, max_iter=1000).fit(states, [q.label for q in known])
encoder.config.update({"id2label": dict(enumerate(fitted.classes_))})
theirs = BertForSequenceClassification(encoder.config)
theirs.bert = encoder
theirs.classifier.weight.data = torch.tensor(fitted.coef_).float()
theirs.classifier.bias.data = torch.tensor(fitted.intercept_).float()
folder = tempfile.TemporaryDirectory()
reader.tokenizer.save_pretrained(folder.name)
theirs.save_pretrained(folder.name)

# %%
print("classes:", *theirs.config.id2label.values())

# %% [markdown]
# **F** is the probability of the label that the classifier chooses. **x** is the word embeddings, and each token gets a share ([09](09_text_models.ipynb)). **x'** is the padding token; special tokens stay. Only safetensors are read, and no code from the folder is run. The attribution that `token_attribution` returns carries its F with it, so `write_report` needs nothing else.

# %% tags=["nbval-ignore-output"]
classifier = text.from_pretrained(folder.name, device)
folder.cleanup()
answer = igteach.token_attribution(
    classifier, "How many people live in the largest city of Italy?"
)
show.text(answer)

# %% tags=["nbval-ignore-output"]
masked = igteach.token_attribution(classifier, answer.text, baseline="mask")
report = igteach.write_report(
    answer,
    path="reports/question.html",
    title="Why this kind?",
    other_baselines={"[MASK]": masked},
)

# %%
complaints(report)

# %%
strongest = answer.merged().scores.argsort(descending=True)[:2]
print("prediction:", answer.prediction)
print("strongest:", *(answer.merged().tokens[i] for i in sorted(strongest.tolist())))

# %% [markdown]
# ## Recipe 4: a language model
#
# **F** is the logit of one next token minus that of another. **x** is the embeddings of the prompt. **x'** is another prompt with the same number of tokens, which asks the sharpest question ([13](13_language_models.ipynb)); if there is none, the mean embedding. (Without SmolLM2 on your machine a far smaller model stands in, and the text does not fit it.)
#
# **Predict.** Why " she" rather than " he": because of the sister, or because of the nurse?

# %% tags=["nbval-ignore-output"]
if smollm2.find():
    model = smollm2.load(device)
    prompt, other = "My sister is a nurse and", "My brother is a pilot and"
    target, against = " she", " he"
else:
    model = lookup.load(device)
    prompt, other = "k3 v7 k1 v2 k3", "k1 v7 k3 v2 k1"
    target, against = "v7", "v2"
answer = igteach.token_attribution(
    model, prompt, target, against=against, baseline=other
)
show.text(answer)

# %% tags=["nbval-ignore-output"]
igteach.write_report(answer, path="reports/prompt.html", title=f"Why {target}?")

# %% [markdown]
# Mostly because of "sister" rather than "brother"; "nurse" rather than "pilot" adds a little, which it should not. Only two tokens have a share, and two rankings of two agree half of the time by chance. So the report leaves out the controls that compare rankings. To have them, use the mean embedding as well, so that all words move. Wrap your own model in `LanguageModel(model, tokenizer)` from `igteach.models.language`.
#
# ## Recipe 5: a table
#
# **F** is the log odds of "malignant", for a network and for boosted trees. **x** is a row of the table, with its column names. **x'** is the median patient ([07](07_baselines.ipynb)). Trees have no gradient and need none: `tree_integrated_gradients` is exact, for scikit-learn, XGBoost and LightGBM ([11](11_beyond.ipynb)). With boosting and two classes F is the log odds, with a random forest the probability of the class that you name; say so in the report. A column of categories, such as a city, becomes one column of 0 and 1 for each value. Add up their shares (`.grouped`): only the sum is the share of "city".
#
# **Predict.** Two good models, one patient, one baseline. Will they name the same measurements?

# %%
import pandas as pd
from lightgbm import LGBMClassifier

known = load_patients()
table = pd.DataFrame(known.x_train.numpy(), columns=known.names)
unseen = pd.DataFrame(known.x_test.numpy(), columns=known.names)
patient = unseen[known.y_test.numpy() == 1].iloc[[0]]  # with a malignant lump
median = table.median()
trees = LGBMClassifier(n_estimators=60, verbose=-1, deterministic=True, n_jobs=1)
trees.fit(table, known.y_train.numpy())
of_trees = igteach.tree_integrated_gradients(trees, patient, median)
f = igteach.logit(patients.load("cpu"))
of_network = igteach.integrated_gradients(f, patient, median)
with torch.no_grad():
    said = {"network": f(known.x_test)[:, 0] > 0}
said["trees"] = torch.from_numpy(trees.predict(unseen)) == 1
for name, answer in {"network": of_network, "trees": of_trees}.items():
    right = (said[name] == (known.y_test == 1)).float().mean().item()
    odds = show.rounded(answer.f_input.item(), 1)
    print(
        f"{name:8s} right on {show.rounded(right, 2)} of unseen patients; F(x) = {odds}"
    )

# %% tags=["nbval-ignore-output"]
means = {"the mean patient": table.mean()}
report = igteach.write_report(
    of_trees,
    trees,
    patient,
    median,
    path="reports/trees.html",
    title="A patient, by trees",
    other_baselines=means,
)

# %%
complaints(report)

# %% tags=["nbval-ignore-output"]
report = igteach.write_report(
    of_network,
    f,
    patient,
    median,
    path="reports/network.html",
    title="A patient, by a network",
    other_baselines=means,
)

# %%
complaints(report)

# %%
for name, answer in {"network": of_network, "trees": of_trees}.items():
    largest = answer.values[0].abs().argsort(descending=True)[:3]
    print(f"{name:8s}", ", ".join(known.names[i] for i in largest.tolist()))

# %% [markdown]
# Both say that the cell nuclei are large, and both put their perimeter first. But perimeter, area and radius are nearly one number: the network spreads over all three what the trees give to one. Both models are good, and both attributions are right, each about its model. Neither is a statement about the patient.
#
# ## Recipe 6: a series
#
# A recurrent network reads numbers, one step at a time. Here the truth is known. Somewhere in the noise is a wave: up then down is class 1, down then up is class 0. Nothing else gives the class away. Training takes a few seconds. A third of the training series are noise without a wave, and their right answer is "undecided", so that the network learns what nothing looks like.

# %% tags=["nbval-ignore-output"]
torch.manual_seed(0)
network = SeriesGRU()
optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
for step in range(200):
    waves, noise = make_waves(64, seed=step), 0.3 * torch.randn(32, 30, 1)
    odds = network(torch.cat([waves.x, noise]))
    truth = torch.cat([waves.y.float(), torch.full((32,), 0.5)])
    loss = nn.functional.binary_cross_entropy_with_logits(odds, truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
f = network.eval().to(device)
fresh = make_waves(200, seed=1000)
x, wave = fresh.x.to(device), fresh.mask.to(device)
print("right:", show.rounded(((f(x) > 0).cpu() == fresh.y).float().mean().item(), 2))

# %% [markdown]
# **F** is the log odds after the last step. **x** is the series. **x'** is zero, the mean of the noise; print F(x') to see whether zero says nothing to the network, too.
#
# **Predict.** Eight of thirty steps carry the wave. How much of IG's strength will lie on them, and how much of the gradient's?

# %% tags=["nbval-ignore-output"]
answer = igteach.integrated_gradients(f, x, 0.0)
igteach.write_report(answer.example(0), f, x[:1], 0.0, path="reports/series.html")

# %% tags=["nbval-ignore-output"]
show.attribution(answer)

# %% tags=["nbval-ignore-output"]
print("F of zeros:", show.rounded(answer.f_baseline[0].item(), 1))
for name, each in {"IG": answer, "gradient": igteach.gradient(f, x)}.items():
    strength = each.values.abs()[..., 0]
    inside = (strength * wave).sum(dim=1) / strength.sum(dim=1)
    print(
        f"{name:10s}{show.rounded(inside.mean().item(), 1)} of the strength on the wave"
    )
print("by chance", show.rounded(wave.float().mean().item(), 1))

# %% [markdown]
# Nearly all of IG's strength lies on the wave, but only half of the gradient's: once the wave has passed, the network is sure, and the slope tells little (lesson 02). You can say so because the truth is known. On your own series it is not; there, shift the wave that you believe in, and see whether the shares move with it.
#
# Real series differ in length. To read several at once you pad them, and then the last step of a short one is padding. (If f needs the lengths, write an nn.Module that holds the model and the lengths, and takes only x. Do not use a plain function: the report could not find its weights to randomise them.)

# %% [markdown]
# ### Exercise 1: where F is read
#
# ●○○ · 6 minutes
#
# A model answers after every step of padded series. Read the logit of the target after the last step that is not padding. (Use indexing only. The check does not notice `.item()` or `.detach()`, but they would leave F without a gradient.)
#
# <details><summary>Hint 1</summary>
#
# In a series of 5 steps the last has index 4.
#
# <details><summary>Hint 2</summary>
#
# <code>logits[torch.arange(len(logits)), last]</code> takes one step of each series.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-14-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def read_out(logits, lengths, target):
    """F of each series: the logit of the target after its last real step.

    logits: (series, steps, classes), padded at the end;  lengths: (series,), the
    number of real steps of each;  target: a class.  Returns (series,).
    """
    ### BEGIN SOLUTION
    return logits[torch.arange(len(logits)), lengths - 1, target]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-14-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("14.1", read_out)

# %% [markdown]
# ## Recipe 7: two inputs
#
# Two pictures of digits, and one question: is the left digit larger? **F** is the probability that it is. **x** is a tuple, and so are the baseline and the shares. (If x is a dict, f gets its inputs by name.) **x'** is the mean digit, twice. Both inputs move at once, along one path. If you move them one at a time, or hold one still, you answer another question.


# %%
class IsLarger(nn.Module):
    """Two digits (N, 1, 8, 8) each to (N,): the probability that the left is larger."""

    def __init__(self, reader):
        super().__init__()
        self.reader = reader

    def forward(self, left, right):
        p, q = self.reader(left).softmax(dim=1), self.reader(right).softmax(dim=1)
        return (p[:, :, None] * q[:, None, :]).tril(-1).sum(dim=(1, 2))


# %% [markdown]
# **Predict.** The left digit is a 6 and the right one a 4. Which of the two pictures gets the larger share?

# %% tags=["nbval-ignore-output"]
scans = load_digits()
f = IsLarger(digits.load(device))
left, right = (scans.x_test[scans.y_test == digit][:1].to(device) for digit in (6, 4))
start = scans.x_train.mean(dim=0, keepdim=True).to(device)
both, starts = (left, right), (start, start)
answer = igteach.integrated_gradients(f, both, starts)
report = igteach.write_report(
    answer, f, both, starts, path="reports/two_inputs.html", picture=(left[0], right[0])
)

# %%
complaints(report)

# %%
print("the mean digit is read as", int(f.reader(start).argmax()))
print("F(x):", show.rounded(answer.f_input.item(), 2))
black = torch.zeros_like(start)
from_black = igteach.integrated_gradients(f, both, (black, black))
for name, each in {"the mean digit": answer, "black": from_black}.items():
    left_share, right_share = (show.rounded(v.sum().item(), 1) for v in each.values)
    print(
        f"from {name}: F(x') {show.rounded(each.f_baseline.item(), 2)}, "
        f"left {left_share:+}, right {right_share:+}"
    )

# %% tags=["nbval-ignore-output"]
show.attribution(answer, (left[0], right[0]))

# %% [markdown]
# The right one, by far. Look at the baseline: the mean digit is read as an 8. On the left the path leads from something like an 8 to a 6, which does not make the left digit larger. On the right it leads from an 8 to a 4. So the baseline *says* something here, F(x') shows it, and the shares answer "compared with two eights". Two black pictures, which this network finds neutral (lesson 07), ask another question: the left one gets the larger share. (The warning about random gradients is that of recipe 1.)

# %% [markdown]
# ### Exercise 2: two inputs on one path
#
# ●●○ · 12 minutes
#
# What is the share of each of two inputs? Use the midpoint rule of lesson 05, and move both together.
#
# <details><summary>Hint 1</summary>
#
# The points of the first input are <code>first_start + alphas[:, None] * (first - first_start)</code>, those of the second likewise, with the same alphas.
#
# <details><summary>Hint 2</summary>
#
# Call <code>.requires_grad_()</code> on both. <code>torch.autograd.grad(f(p, q).sum(), (p, q))</code> gives the gradients of both at once.
#
# <details><summary>Hint 3</summary>
#
# For each input: the mean gradient, times the displacement, summed.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-14-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def two_inputs(f, first, second, first_start, second_start, steps):
    """What each of two inputs contributes to F(x) - F(x'), by the midpoint rule.

    f: takes a batch of each input, (N, features) and (N, others), and gives (N,);
    first, first_start: (1, features);  second, second_start: (1, others).
    Returns (2,), the share of the first and that of the second.
    """
    ### BEGIN SOLUTION
    alphas = ((torch.arange(steps) + 0.5) / steps).to(first)[:, None]
    p = (first_start + alphas * (first - first_start)).requires_grad_()
    q = (second_start + alphas * (second - second_start)).requires_grad_()
    by_first, by_second = torch.autograd.grad(f(p, q).sum(), (p, q))
    return torch.stack(
        [
            (by_first.mean(dim=0) * (first - first_start)).sum(),
            (by_second.mean(dim=0) * (second - second_start)).sum(),
        ]
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-14-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("14.2", two_inputs)

# %% [markdown] tags=["slide"]
# ## The sum is off, however many steps
#
# Six colleagues bring six models, A to F (model F is not the score F). Five read a handwritten digit, D reads a question. All were attributed with the six lines of lesson 04, with 16 steps, then 64, then 256. None of the sums settles at the right value.


# %%
def along(case, alphas):
    """Points on the straight path from the baseline to the input."""
    alphas = alphas.to(case.x).reshape(-1, *[1] * (case.x.dim() - 1))
    return case.baseline + alphas * (case.x - case.baseline)


def slopes(f, points):
    points = points.clone().requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def residual(case, f, steps):
    """What the owner adds up, minus the change of F, as a fraction of that change."""
    middles = (torch.arange(steps) + 0.5) / steps
    mean_slope = slopes(f, along(case, middles)).mean(dim=0, keepdim=True)
    shares = mean_slope * (case.x - case.baseline)
    with torch.no_grad():
        change = (f(case.x) - f(case.baseline)).item()
    return (shares[case.counted].sum().item() - change) / abs(change)


cases = broken.load(device)

# %% tags=["nbval-ignore-output", "slide-goes-on"]
torch.manual_seed(0)
print("residual after      16      64     256 steps")
for name, case in cases.items():
    found = [f"{residual(case, case.f, steps):8.0%}" for steps in (16, 64, 256)]
    print(f"{name:14s}", *found)

# %% [markdown]
# Models B and F wander; the other four stay where they are, and three of these show nearly the same number. So the residual says *that* something is wrong, not what. Follow a tree of four questions.
#
# **First question: does F give the same answer twice?** If not, there is no F to explain.

# %% tags=["nbval-ignore-output"]
for name, case in cases.items():
    with torch.no_grad():
        at_x = [case.f(case.x).item() for _ in range(2)]
        at_start = [case.f(case.baseline).item() for _ in range(2)]
    words = "twice at x: {:6.2f} {:6.2f}   twice at x': {:6.2f} {:6.2f}"
    print(f"{name}  {words.format(*at_x, *at_start)}")

# %% [markdown]
# Models B and F answer at random. All six are in eval mode, so the randomness sits where `eval()` does not reach. Look closer: B wavers at x but not at x', which is all zeros. So its noise *multiplies*, and zero times anything is zero. In model F the noise *adds*.
#
# You need not go looking. Every method of this package notices when a row gets another answer in another batch:

# %% tags=["nbval-ignore-output"]
for name, case in cases.items():
    try:
        answer = igteach.integrated_gradients(case.f, case.x, case.baseline)
        print(f"{name}: {answer.verdict}")
    except ValueError as error:
        print(f"{name}: {error}")

# %% [markdown]
# **Second question: do more steps help?** They do for most models that you will meet ([05](05_computing_the_integral.ipynb)), but for none of these. (That B comes closer is luck: run it again.) And look at D: this package calls its shares complete, while its owner's sum is off. So the owner adds up something else.
#
# **Third question: is your own arithmetic right?** The *linear test*: put a linear function in place of the model and leave everything else as it is. A single step then gives exact shares. If the sum is off even now, the model is innocent.

# %%
for name, case in cases.items():
    weights = torch.linspace(1, 2, case.x.numel()).to(case.x).reshape(case.x.shape)
    found = residual(case, lambda x, w=weights: (x * w).flatten(1).sum(dim=1), steps=1)
    print(f"{name}: {show.rounded(found, 2):+.0%}")

# %% [markdown]
# D moves something that it does not count.
#
# **Fourth question: where on the path is the missing part lost?** On each short stretch, compare the change of F with what its gradient accounts for.

# %% [markdown]
# ### Exercise 3: what the gradient does not account for
#
# ●●○ · 12 minutes
#
# Cut the path into equal stretches. For each: F at its end minus F at its beginning, minus the gradient at its midpoint times the displacement.
#
# <details><summary>Hint 1</summary>
#
# With <code>ends = torch.linspace(0, 1, stretches + 1)</code>, <code>f(...).diff()</code> is the change of F on each stretch.
#
# <details><summary>Hint 2</summary>
#
# The midpoints are <code>(torch.arange(stretches) + 0.5) / stretches</code>, and <code>igteach.gradient(f, points).values</code> has the slopes there.
#
# <details><summary>Hint 3</summary>
#
# The displacement of one stretch is (x - x') divided by the number of stretches.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-14-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unexplained(f, x, baseline, stretches):
    """For each stretch of the path, the change of F that its gradient does not explain.

    f: takes (N, features) and gives (N,);  x, baseline: (1, features).
    Returns (stretches,), in order from the baseline to x.
    """
    ### BEGIN SOLUTION
    ends = torch.linspace(0, 1, stretches + 1, device=x.device, dtype=x.dtype)
    middles = (ends[1:] + ends[:-1]) / 2
    displacement = x - baseline
    change = f(baseline + ends[:, None] * displacement).detach().diff()
    slope = igteach.gradient(f, baseline + middles[:, None] * displacement).values
    return change - (slope * displacement).sum(dim=1) / stretches
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-14-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("14.3", unexplained)

# %% [markdown] tags=["slide"]
# Here it is for the four models that give the same answer twice, added up from x' to x.
#
# **Predict.** A, C and E have nearly the same residual. Will their curves look the same?


# %% tags=["slide"]
def missed(case, stretches=64):
    """What is lost up to each point of the path, as a fraction of F(x) - F(x')."""
    ends = torch.linspace(0, 1, stretches + 1)
    with torch.no_grad():
        heights = case.f(along(case, ends)).cpu()
    slope = slopes(case.f, along(case, (ends[1:] + ends[:-1]) / 2))
    accounted = (slope * (case.x - case.baseline)).flatten(1).sum(
        dim=1
    ).cpu() / stretches
    lost = (heights.diff() - accounted).cumsum(dim=0) / (heights[-1] - heights[0]).abs()
    return torch.cat([torch.zeros(1), lost])


lost = {name: missed(cases[name]) for name in "ACDE"}
show.curves(
    torch.linspace(0, 1, 65),
    lost,
    xlabel="alpha: the baseline is 0, the input is 1",
    ylabel="lost so far, as a fraction of F(x) - F(x')",
)

# %% [markdown] tags=["slide-goes-on"]
# They do not. A loses everything at one point: F jumps there, and no gradient sees a jump. C loses a little in many places, and gives some of it back in between: many small jumps. E loses steadily: its gradient is *too small everywhere*, by half. D loses next to nothing: its model is innocent, as the linear test said, but its owner's count is not.

# %% [markdown]
# **Predict.** Match each letter with its cause: a step, dropout switched on by an argument, a lookup that rounds, special tokens that move and are not counted, a detached branch, a layer that adds noise.

# %%
for name, case in cases.items():
    print(f"{name}: {case.fault}")

# %% [markdown]
# What each needs: take the step out of F, or explain the number that the step is applied to (A). Start after the lookup: attribute to what was looked up, as you do for words (C). Find the `.detach()`, `.item()`, `.numpy()` or `no_grad()` (E). Count what moves, or keep it still (D). Take the randomness out, or fix its seed for each row and explain the mean over several seeds (B, F).

# %% [markdown]
# ### Exercise 4: the tree
#
# ●●○ · 10 minutes
#
# Write the tree as code. In place of the linear test use the gaps of exercise 3: if they are 0, the gradient is right. Everything is a fraction of |F(x) - F(x')|, and anything below 0.05 counts as nothing.
#
# 1. Two answers of F to the same input differ: `"chance"`.
# 2. The residual with the most steps counts as nothing: the sum is right. Return `"nothing"`.
# 3. That residual is less than half of the one with the fewest steps: take more `"steps"`.
# 4. The absolute gaps, added up, count as nothing: the gradient is right, so look at what you `"count"`.
# 5. One absolute gap is more than half of that sum: a `"jump"`. Otherwise it is the `"slopes"`.
#
# <details><summary>Hint 1</summary>
#
# Residuals and gaps have signs: take <code>.abs()</code> first.
#
# <details><summary>Hint 2</summary>
#
# <code>if gaps.abs().sum() < 0.05: return "count"</code> is the fourth line; the others look like it.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-14-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnose(again, residuals, gaps):
    """Why a sum is off: "chance", "nothing", "steps", "count", "jump" or "slopes".

    again: a number, how far apart two answers of F to the same input are;
    residuals: (3,), with few steps, with more, and with the most;
    gaps: (stretches,), what the gradient does not account for on each stretch.
    Returns a str.
    """
    ### BEGIN SOLUTION
    residuals, gaps = residuals.abs(), gaps.abs()
    if again >= 0.05:
        return "chance"
    if residuals[-1] < 0.05:
        return "nothing"
    if residuals[-1] < residuals[0] / 2:
        return "steps"
    if gaps.sum() < 0.05:
        return "count"
    return "jump" if gaps.max() > gaps.sum() / 2 else "slopes"
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-14-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("14.4", diagnose)

# %% [markdown] tags=["slide"]
# ## It adds up, and is the wrong F
#
# Completeness is about the F that you wrote, not the one that you meant. Here are three ways in which the two can differ.

# %%
reader, digit = digits.load(device), scans.x_test[:1].to(device)
number = int(scans.y_test[0])
ends_in_softmax = nn.Sequential(reader, nn.Softmax(dim=1))
names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
alphabetical = sorted(names).index(names[number])

series = x[fresh.y == 0][:1]
padded = torch.cat([series, torch.full((1, 10, 1), -1.0, device=device)], dim=1)
wrong = {
    "a softmax, twice": (lambda z: ends_in_softmax(z).softmax(1)[:, number], digit),
    "the wrong class": (lambda z: reader(z).softmax(1)[:, alphabetical], digit),
    "padding is read": (lambda z: network(z).sigmoid(), padded),
}
meant = {
    "a softmax, twice": ends_in_softmax(digit)[0, number].item(),
    "the wrong class": reader(digit).softmax(1)[0, number].item(),
    "padding is read": network(series).sigmoid().item(),
}

# %% tags=["nbval-ignore-output", "slide-goes-on"]
print(f"{'':20s}{'residual':>10s}{'F(x)':>10s}{'what users see':>18s}")
for name, (g, z) in wrong.items():
    answer = igteach.integrated_gradients(g, z)
    row = answer.relative_residual.item(), answer.f_input.item(), meant[name]
    print("{:20s}{:10.1%}{:10.2f}{:18.2f}".format(name, *row))

# %% [markdown]
# All three add up, the second roughly. None of the three maps is about the answer that the model gives.
#
# - The model already ends in a softmax, and a second one squeezes every probability toward one tenth. (`igteach.probability` notices, and does not take it twice.)
# - The labels were sorted alphabetically, the logits were not. The name of the class is right; its number is not.
# - A loader padded the series with -1 to the length of the longest in its batch. The network reads on past the end, takes the drop to -1 for the second half of a wave, and changes its mind.
#
# One habit finds all three: **compute F(x) and compare it with what the model's users see**, before you attribute anything.
#
# ## Recap
#
# From [lesson 12](12_trust.ipynb): the residual of your map is 0.1%, and with random weights you get nearly the same map. What do you tell the person who asked?
#
# <details><summary>Answer</summary>
#
# That you have no explanation yet. The shares are computed correctly, but the map does not depend on what the model has learned. It shows the input, or its displacement from the baseline.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** The shares add up to half of F(x) - F(x'), with 16 steps and with 256. F gives the same answer twice, the linear test is passed, and what is lost grows evenly along the path. What do you look for?
#
# <details><summary>A. A threshold in the model.</summary>
#
# A jump loses everything at one point.
#
# </details>
# <details><summary>B. A place where half of the model is cut off from autograd.</summary>
#
# Right. The gradient is too small everywhere: something that F uses does not pass its gradient on.
#
# </details>
# <details><summary>C. A factor of alpha in your own code.</summary>
#
# That halves the shares of a linear function, too, so the linear test would have failed.
#
# </details>

# %% [markdown]
# **Question 2.** A report says: F(x) = 0.23, residual 0.0%, all controls passed. The application shows "99% sure" for the same input. Which explanation fits?
#
# <details><summary>A. Attributions always explain smaller numbers.</summary>
#
# F(x) is F at the input, whatever the method.
#
# </details>
# <details><summary>B. Too few steps.</summary>
#
# F(x) needs no steps at all.
#
# </details>
# <details><summary>C. The F of the report is not the one that the application shows, as after a second softmax.</summary>
#
# Right. With ten classes, a second softmax turns 0.99 into 0.23.
#
# </details>

# %% [markdown]
# **Question 3.** A colleague attributes to word ids, since "they are the input". What is wrong?
#
# <details><summary>A. Nothing, if the sum is right.</summary>
#
# The ids have no gradient, so there is no sum.
#
# </details>
# <details><summary>B. The ids between two ids are other words: the path leads through what has nothing to do with either.</summary>
#
# Right. The path has to run through what is looked up for them.
#
# </details>
# <details><summary>C. The ids are too large; divide them by the size of the vocabulary.</summary>
#
# Then the path still leads through whichever words stand between them in the list.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("14")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Where is F read, what is x, what says nothing: three sentences, written down before the first gradient.
# 2. A sum that is off has a cause with a name. Ask twice, take more steps, test a linear function, look at the path.
# 3. A right sum may belong to the wrong F. Compare F(x) with what users see, and send the controls along with the map.
#
# **Where it comes from.** Integrated Gradients: [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365). Vision transformers: [Dosovitskiy et al. (2021)](https://arxiv.org/abs/2010.11929). Trees: [Merrill et al. (2019)](https://arxiv.org/abs/1909.01869). Weights at random: [Adebayo et al. (2018)](https://arxiv.org/abs/1810.03292). Deletion: [Samek et al. (2017)](https://doi.org/10.1109/TNNLS.2016.2599820). Reports on models: [Mitchell et al. (2019)](https://doi.org/10.1145/3287560.3287596).
#
# **What is next.** Your own model. `igteach template image` (or `text`, `language`, `table`, `series`) writes a notebook with a recipe and the checklist, ready to run; put your model in place of ours. And when the report is written, try to prove yourself wrong.
