# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 07 · Baselines
#
# **The question.** Every share is measured from a baseline x'. Which baseline is the right one?
#
# **You will be able to**
# - say which features a baseline silences, before you look at any network;
# - measure whether a baseline is neutral, and make a neutral one;
# - explain against many baselines at once, and say which question that answers.
#
# **You need** [lesson 03](03_reference_background.ipynb), where the patients come from, [lesson 04](04_integrated_gradients.ipynb), and [lesson 05](05_computing_the_integral.ipynb) for steps and rules.
#
# **Time.** 65 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks are small.

# %%
import torch
from torch.nn.functional import avg_pool2d

import igteach
from igteach import baselines, explore, show
from igteach.datasets import load_digits, load_patients, load_photograph
from igteach.evaluate import relevance_mass
from igteach.exercises import check
from igteach.models import digits, imagenet, patients

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## The man in the black coat
#
# You know this photograph from lesson 00. A network calls it "tripod", and you asked Integrated Gradients why, against a black picture, as nearly everybody does.
#
# You can say something about the answer without the network. A share is
#
# $$\mathrm{IG}_i \;=\; (x_i - x'_i) \times \text{the average slope of F along } x_i \text{ on the path},$$
#
# and the first factor is yours to choose. It says how far a pixel travels, and in which direction. Here it is for a black and for a white baseline. The stronger the colour, the farther; no colour is no distance at all.

# %%
photograph = torch.tensor(load_photograph("camera") / 255, dtype=torch.float32)
small = avg_pool2d(photograph[None], 4)[0]
travelled = {
    "x - x' for a black baseline": small,
    "x - x' for a white baseline": small - 1,
}
unit = "how far a pixel travels, from x' to x"
show.heatmaps(travelled, scale=1.0, picture=photograph, unit=unit)

# %%
coat = photograph[260:400, 20:130]
sky = photograph[20:60, 20:490]
print("farthest from black in this patch of the coat:", show.rounded(coat.max()))
print("nearest to black in this patch of the sky:    ", show.rounded(sky.min()))

# %% [markdown]
# Against black, the sky travels far and the coat hardly moves. With equal slopes, the sky gets several times what the coat gets. Yet there is a man in that coat, and next to nothing of him can enter the map.

# %% [markdown] tags=["slide-goes-on"]
# Now ask the network. A third baseline joins black and white: the photograph itself, blurred until nobody can tell what it shows.
#
# **Predict.** Man and tripod are dark. What fraction of all |shares| will the dark pixels get against a black baseline, and what fraction against the others?

# %% tags=["nbval-ignore-output"]
network = imagenet.load()
man = imagenet.preprocess(load_photograph("camera"))[None].to(device)
tripod = int(network(man).argmax())
plain = {
    "black": imagenet.normalise(torch.zeros_like(man)),
    "white": imagenet.normalise(torch.ones_like(man)),
    "a blurred copy": baselines.blur(man, sigma=14.0),
}
seen = igteach.probability(network)
by_baseline = {
    name: igteach.integrated_gradients(
        seen, man, baseline, tripod, tolerance=0.1, progress=True
    )
    for name, baseline in plain.items()
}

# %% tags=["slide"]
pixels = imagenet.picture(man)[0]
dark = pixels.mean(dim=0) < 0.12
shown = ("black", "a blurred copy")
called = imagenet.class_names()[tripod]
against = {f"IG for {called}, from {name}": by_baseline[name] for name in shown}
show.attributions(pixels, against, smooth=3, own_scales=True)

# %% tags=["slide-goes-on"]
print("the network's answer:", called)
print("dark pixels, of all pixels:", show.rounded(dark.float().mean(), 2))
for name, answer in by_baseline.items():
    mass = relevance_mass(answer.values, dark[None])[0]
    print(f"against {name}, of all |shares| they get", show.rounded(mass, 2))

# %% [markdown]
# Against black, the coat is nearly bare, and most colour lies on the lawn and the sky around the tripod. Against the blurred photograph, much of it gathers along the tripod itself.
#
# The numbers count all dark pixels. Against black they get next to nothing, against white more than the fraction of the picture that they cover. Against the blurred photograph they get a little more than that fraction: the coat is dark in both pictures and moves little, but the blur has no tripod, so the tripod moves. One network, one photograph, one answer: only the baseline changed.

# %% [markdown] tags=["slide"]
# ## The hole in a zero
#
# A coat is almost black. The empty pixels of a digit are exactly black. Does a network need them? Take a zero and fill its hole.

# %% tags=["slide-goes-on"]
model = digits.load()
data = load_digits()
score = igteach.probability(model)

zero = data.x_test[data.y_test == 0][2:3].to(device)
hole = torch.zeros(8, 8, dtype=torch.bool, device=device)
hole[2:6, 3:5] = True
filled = torch.where(hole, 0.8, zero)


def reading(picture):
    """What the network takes a picture for, and how probable that is, for a title."""
    sure, label = score(picture)[0].max(dim=0)
    if sure < 0.15:
        return "no digit (all ten equal)"
    return f"read as {int(label)} ({show.rounded(sure, 2)})"


panels = {
    f"a zero\n{reading(zero)}": zero[0, 0],
    f"its hole\n(the {int(hole.sum())} white pixels)": hole.float(),
    f"the hole filled\n{reading(filled)}": filled[0, 0],
}
show.heatmaps(panels, kind="picture")

# %% [markdown] tags=["slide-goes-on"]
# The titles of the two zeros give the network's answer, and its probability in brackets. To this network, the hole is the difference between one digit and another.
#
# **Predict.** What will Integrated Gradients give the pixels of the hole against a black baseline? And against a white one?

# %% tags=["slide"]
black, white = baselines.constant(zero, 0.0), baselines.constant(zero, 1.0)
explain = {
    name: igteach.integrated_gradients(score, zero, baseline, target=0, steps=256)
    for name, baseline in {"black": black, "white": white}.items()
}
unit = "share of F, the probability of 0"
panels = {}
for name, answer in explain.items():
    fraction = answer.values[0, 0][hole].sum() / answer.values.sum()
    panels[f"IG from {name}: {fraction:.0%} in the hole"] = answer.values[0, 0]
show.heatmaps(panels, picture=zero[0, 0], unit=unit)

# %%
for name, answer in explain.items():
    gained, total = (answer.f_input - answer.f_baseline)[0], answer.values.sum()
    in_all, in_hole = total / gained, answer.values[0, 0][hole].sum() / total
    print(f"against {name}, the shares over F(x) - F(x'):", show.rounded(in_all))
    print("               of the shares, in the hole:   ", show.rounded(in_hole, 2))
of_full = explain["white"].values[0, 0][zero[0, 0] == 1]
strongest = of_full.abs().max()
print("against white, the strongest share of a full pixel:", show.rounded(strongest))

# %% [markdown]
# Against black the hole gets nothing; against white, more than half. Both maps are complete, and neither is in error. They answer two different questions:
#
# - *Which ink, put on an empty page, made this a zero?* The hole is not ink, so it has no place in the answer.
# - *Which ink, wiped from a full page, made this a zero?* The hole has to be wiped; strokes full of ink need not be touched.

# %% [markdown] tags=["slide-goes-on"]
# This is the first law of baselines: **what equals the baseline gets nothing**, whatever the network does with it. Choosing a baseline is choosing what may not speak.

# %% [markdown]
# ## Does the baseline say nothing?
#
# F(x') may already speak for or against a class. That is F's **opinion** of the baseline. Since the shares add up to F(x) - F(x'), they also explain how that opinion was overturned: against a baseline that the network calls an eight, they say why a zero *and not an eight*. You can measure how strong F's opinion of x' is. At a *neutral* baseline F has none: every class gets the same probability.
#
# If the network has a class for "nothing", an empty input is not neutral: the shares then say why this class and not "nothing", which may be just what you want to ask.

# %% [markdown]
# ### Exercise 1: the baseline's opinion
#
# ●○○ · 5 minutes
#
# Measure how far a baseline is from saying nothing: its largest class probability minus the one that each class would get if all were even.
#
# <details><summary>Hint 1</summary>
#
# <code>f(baseline)[0]</code> holds one probability for each class.
#
# <details><summary>Hint 2</summary>
#
# The even probability is 1 over the number of classes, which is the length of that row.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-07-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def opinion(f, baseline):
    """The largest class probability minus an even one; 0 where there is no opinion.

    f: (N, features) -> (N, classes), probabilities;  baseline: (1, features).
    Returns one number.
    """
    ### BEGIN SOLUTION
    p = f(baseline)[0]
    return p.max() - 1 / len(p)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-07-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("07.1", opinion)

# %% [markdown]
# **Predict.** Here are eight baselines for the zero. Apart from the one made to be neutral, which does the network find neutral?
#
# | baseline | what it is | what its shares then say |
# |---|---|---|
# | black, white | one value everywhere | what was put there (or taken away) |
# | mean, median | of the training digits, pixel by pixel | how this digit differs from digits in general |
# | blur | the picture without its details | what the details add |
# | noise | the picture with noise added | what the noise had hidden |
# | neutral | a picture changed until all classes are even; here, starting from white | what broke the tie |
# | adversarial | the picture itself, changed just enough for its class to score next to zero | we shall see |
#
# They are in `igteach.baselines`, and so is `opinion`.

# %%
known = data.x_train.to(device)
candidates = {
    "black": black,
    "white": white,
    "mean": baselines.mean(zero, known),
    "median": baselines.median(zero, known),
    "blur": baselines.blur(zero, sigma=2.0),
    "neutral": baselines.neutral(score, white, gap=0.01),
    "noise": baselines.noise(zero, stdev=0.5),
    "adversarial": baselines.adversarial(score, zero, target=0, near_zero=0.01),
}

# %% tags=["nbval-ignore-output"]
in_words = {
    "mean": "mean digit",
    "median": "median digit",
    "blur": "blurred zero",
    "neutral": "neutral (search)",
    "noise": "zero plus noise",
    "adversarial": "adversarial zero",
}
described = {in_words.get(name, name): candidates[name] for name in candidates}
pictures = {f"the zero\n{reading(zero)}": zero[0, 0]}
for name, candidate in described.items():
    pictures[f"baseline: {name}\n{reading(candidate)}"] = candidate[0, 0]
show.heatmaps(pictures, kind="picture", scale=1.0)

# %% tags=["nbval-ignore-output"]
opinions = {
    name: baselines.opinion(score, candidate).item()
    for name, candidate in candidates.items()
}
title = "how sure the network is of each baseline (0: all ten classes even)"
show.bars(
    list(opinions),
    {title: list(opinions.values())},
    ylabel="largest probability minus 1/10",
)

# %%
for name, candidate in candidates.items():
    of_zero = score(candidate)[0, 0].item()
    print(f"{name:12s} opinion {opinions[name]:.1f}   F(x') for 'zero' {of_zero:.1f}")

# %% [markdown]
# Two are neutral: black, and the one found by search. Of the blur the network has a weak opinion, of the others a strong one: to the network, the mean of many digits is a digit, and so is a white page.
#
# That black is neutral is no fact of nature: **it was put there.** In training, every batch held a black picture labelled with even probabilities. The network's card, `data/digits.md`, says so. A network from elsewhere owes you nothing of the kind. Ask it.
#
# The search, `neutral`, goes downhill, step by step, on one number: how far the probabilities are from even (a KL divergence).
#
# ## The same zero, against each
#
# Eight maps of one picture and one score, on one scale. One share in forty exceeds the scale, and gets the strongest colour.


# %%
def against(baseline):
    """The shares of the score for 'zero', as a picture."""
    answer = igteach.integrated_gradients(score, zero, baseline, target=0, steps=256)
    return answer.values[0, 0]


maps = {name: against(candidate) for name, candidate in candidates.items()}
scale = float(torch.stack(list(maps.values())).abs().quantile(0.975))

# %% tags=["nbval-ignore-output"]
panels = {f"IG from {in_words.get(name, name)}": maps[name] for name in maps}
clipped = f"{unit}; stronger ones are clipped"
show.heatmaps(panels, scale=scale, picture=zero[0, 0], unit=clipped)

# %% [markdown]
# Now compare two at a time, each with a one-sentence summary. You choose the two; the choice starts at black and the mean, which disagree about the hole.

# %% tags=["nbval-ignore-output"]
black_and_mean_first = ["black", in_words["mean"], *described]
choices = {name: described[name] for name in black_and_mean_first}
explore.baseline_explorer(score, zero, choices, target=0)

# %%
part = {
    name: (shares[hole].sum() / shares.sum()).item() for name, shares in maps.items()
}
for name in ("mean", "median", "black", "neutral"):
    print(f"{name:8s} of the shares, in the hole:", show.rounded(part[name], 1))
reseeded = against(baselines.noise(zero, stdev=0.5, seed=1))
alike = torch.corrcoef(torch.stack([maps["noise"].flatten(), reseeded.flatten()]))[0, 1]
print("correlation with the map against other noise:", show.rounded(alike, 1))

# %% [markdown]
# - **Mean** and **median**: on average, digits have ink in the middle, and this one has none. The hole gets nearly everything.
# - **Blur** keeps what is broad, and asks about details. Where the picture is already smooth, it says little.
# - **Neutral**, by search from white. The network has no opinion of black either, and yet the map from black is different. A network has many neutral inputs. *Neutral does not mean unique.*
# - **Noise** stays near the picture, and the map depends on the seed.
#
# ## Near zero is not neutral
#
# The **adversarial** baseline deserves a closer look. It is this very zero, changed until its score for "zero" is next to nothing, so that nearly all of F(x) is left to distribute. Have we found the perfect baseline: the picture itself, without its meaning?
#
# **Predict.** The probability of "zero" is gone. Where did it go?

# %%
attack = candidates["adversarial"]
sure, label = score(attack)[0].max(dim=0)
print(f"the network calls it a {int(label)}, with probability", show.rounded(sure, 2))
others = known[data.y_train != 0]
nearest = (others - zero).flatten(1).norm(dim=1).min()
ratio = (attack - zero).norm() / nearest
print("its distance, over that of the nearest other digit:", show.rounded(ratio, 2))

# %% [markdown]
# It went to another digit, and the network is fairly sure of it. So the network does have an opinion of this baseline. And the factor x - x' is now the perturbation: the map shows where *the attack* was made, not where the zero is.
# Sundararajan, Taly and Yan (2017) warn of this: a near-zero score is not enough. A baseline should carry no signal of its own, so that what you see belongs to the input.
#
# On 64 pixels the attack is visible: find it in the picture above. A photograph has so many pixels that each needs to move far less, and nobody sees it (Szegedy et al. 2013).
#
# How is it found? By repeating one step. Near x, a smooth F is nearly linear. The shortest step that takes a linear F to zero goes straight down the slope:
#
# $$x \;-\; \frac{F(x)}{\lVert \nabla F(x) \rVert^2}\, \nabla F(x).$$
#
# `adversarial` takes a fifth of this step at a time. Its F is the log odds of the class, because they do not flatten out where the network is sure. The goal is a small probability p, so F is the log odds of the class minus the log odds of p: it is 0 where the goal is reached. (Without this, F = 0 would only mean P = 1/2.)

# %% [markdown]
# ### Exercise 2: the shortest step to zero
#
# ●●○ · 8 minutes
#
# Write one full step. For a linear F it lands on zero.
#
# <details><summary>Hint 1</summary>
#
# <code>igteach.gradient(f, x).values</code> is the slope, in the shape of x.
#
# <details><summary>Hint 2</summary>
#
# The squared norm is the sum of squares: one number.
#
# <details><summary>Hint 3</summary>
#
# Try F(x) = 10 x at x = 1. The slope is 10, and the step must be -1.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-07-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step_to_zero(f, x):
    """The point nearest to x where F would be zero if it were linear.

    f: (N, features) -> (N,);  x: (1, features).  Returns (1, features).
    """
    ### BEGIN SOLUTION
    slope = igteach.gradient(f, x).values
    return x - f(x) / slope.square().sum() * slope
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-07-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("07.2", step_to_zero)

# %% [markdown] tags=["slide"]
# ## Many baselines at once
#
# If no single picture is innocent, take many. Explain against one real digit after another, and average the shares:
#
# $$\frac{1}{K} \sum_{k=1}^{K} \mathrm{IG}(x, x'_k), \qquad \text{which adds up to} \qquad F(x) - \frac{1}{K} \sum_{k=1}^{K} F(x'_k).$$

# %% [markdown]
# The mean over all the data is what the expected gradients of lesson 06 estimate (Erion et al. 2021). The cell below takes 64 digits.

# %% tags=["slide-goes-on"]
seeded = torch.Generator().manual_seed(0)
draw = torch.randint(len(known), (64,), generator=seeded).to(device)
crowd = igteach.integrated_gradients(
    score, zero.expand(64, -1, -1, -1), known[draw], target=0, steps=64
)
expected = crowd.values.mean(dim=0)[0]

panels = {}
for k in range(3):
    change = show.rounded(crowd.f_input[k] - crowd.f_baseline[k], 1)
    digit = int(data.y_train[draw[k]])
    panels[f"IG from one {digit}: F changes by {change:g}"] = crowd.values[k, 0]
panels[f"IG, mean over {len(draw)} digits"] = expected
show.heatmaps(panels, picture=zero[0, 0], unit=unit)

# %%
pairs = torch.corrcoef(crowd.values.flatten(1))
apart = pairs[~torch.eye(64, dtype=torch.bool, device=device)]
gained = (crowd.f_input - crowd.f_baseline).mean()
average_opinion = score(known[draw]).detach().mean(dim=0)
weakest = baselines.opinion(score, known[draw]).min()
together = average_opinion.max() - 0.1
middle = apart.median()
print("correlation of two maps against single digits, median:", show.rounded(middle, 1))
print("F(x) minus the mean of F(x'):", show.rounded(gained, 2))
print("the mean map adds up to      ", show.rounded(expected.sum(), 2))
print("the opinion of a single digit is at least", show.rounded(weakest, 2))
print("the opinion of all of them together is   ", show.rounded(together, 2))

# %% [markdown]
# Each map by itself says why a zero and not *this* eight or *that* nine. Against another zero there is next to nothing to explain. In the mean the baselines' opinions mostly cancel, and the only pixels silenced are those that equal every baseline, such as a corner where nobody writes. The question has become: *why a zero, and not just any digit?*
#
# The price: 64 times the work; the answer depends on which baselines you choose; and a share is now a mean over explanations that may disagree.
#
# The work can be cut. Instead of walking every path, `igteach.expected_gradients` draws a baseline at random, and one point on the path from it, and spends one gradient there; then it draws again. The sum is then right only on average, and the error estimate says how far off the shares may be.

# %%
cheap = igteach.expected_gradients(score, zero, known[draw], target=0, samples=512)
alike = torch.corrcoef(torch.stack([cheap.values.flatten(), expected.flatten()]))[0, 1]
print("gradients:", int(cheap.evaluations), "instead of", 64 * int(crowd.evaluations))
print("correlation of the two maps:", show.rounded(alike, 2))

# %% [markdown]
# ### Exercise 3: the average explanation
#
# ●●○ · 8 minutes
#
# Average the attributions of one input over several baselines.
#
# <details><summary>Hint 1</summary>
#
# A loop over the baselines will do; <code>each[None]</code> adds the batch dimension, and <code>steps=64</code> asks the package for 64 steps.
#
# <details><summary>Hint 2</summary>
#
# The explanation against the mean baseline is something else. Explain first, then average.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-07-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def expected_attribution(f, x, baselines):
    """Integrated Gradients of x, with 64 steps, averaged over the baselines.

    f: (N, features) -> (N,);  x: (1, features);  baselines: (K, features).
    Returns (1, features).
    """
    ### BEGIN SOLUTION
    shares = [
        igteach.integrated_gradients(f, x, each[None], steps=64).values
        for each in baselines
    ]
    return torch.stack(shares).mean(dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-07-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("07.3", expected_attribution)

# %% [markdown]
# ## One patient, two explanations
#
# Back to the patients of lesson 03. There the background was the average patient, the mean of each measurement. A physician might object: measurements are skewed, a few very large tumours pull every mean up, and *typical* means the median. It sounds like a detail.

# %% [markdown] tags=["slide"]
# **Predict.** Here is a patient the network is unsure about. Against the mean patient, do her measurements, taken together, speak for malignant or against it? And against the median patient?

# %% tags=["slide"]
table = load_patients()
malignant = igteach.probability(patients.load())
everyone, trained_on = table.x_test.to(device), table.x_train.to(device)
patient = everyone[(malignant(everyone)[:, 0] - 0.3).abs().argmin()][None]

backgrounds = {
    "mean patient": baselines.mean(patient, trained_on),
    "median patient": baselines.median(patient, trained_on),
}
answers = {
    name: igteach.integrated_gradients(malignant, patient, base, steps=256)
    for name, base in backgrounds.items()
}

first = answers["mean patient"].values[0].abs().argsort(descending=True)[:4].cpu()
show.bars(
    [table.names[i] for i in first],
    {
        f"IG from the {name}": answer.values[0, first]
        for name, answer in answers.items()
    },
    ylabel="share of F, the probability of malignant",
)

# %%
for name, answer in answers.items():
    gained, together = (answer.f_input - answer.f_baseline)[0], answer.values.sum()
    print(f"{name}: P(malignant) =", show.rounded(answer.f_baseline[0], 2))
    print("   F(x) - F(x') is             ", show.rounded(gained, 2))
    print("   her measurements add up to  ", show.rounded(together, 2))

# %% [markdown]
# Compared with the mean, her measurements speak against malignant; compared with the median, for it. One patient, one network, two complete explanations, and they disagree about the sign. To the network, the mean patient is a doubtful case, because a few large tumours have pulled the mean up. The median patient is benign, like most in the table.
#
# - Against the mean: *why is she less suspect than a case that could go either way?* Chiefly because of her texture.
# - Against the median: *why is she more suspect than most?* Texture still speaks in her favour, but more quietly, and the rest outweighs it.
#
# Both can be asked. A report that says "taken together, her measurements speak against malignant" and does not say *compared with whom* has told the reader nothing that can be checked. She comes back in lesson 11, where decision trees judge her.
#
# Neither background is neutral. A search finds a neutral patient a small step away from the mean:

# %%
tie = baselines.neutral(malignant, backgrounds["mean patient"], gap=0.01)
step = ((tie - backgrounds["mean patient"]) / trained_on.std(dim=0)).abs().max()
print(f"P(malignant) = {malignant(tie).item():.2f}")
print("the farthest move, in standard deviations:", show.rounded(step, 1))

# %% [markdown] tags=["slide"]
# ## There is no free baseline
#
# Each baseline grants one wish at the price of another:
#
# | baseline | opinion | silences | is like real inputs | cost |
# |---|---|---|---|---|
# | black (this network) | none: it was trained so | empty pixels | yes, an empty page | one explanation |
# | white | strong | full ink | no | one explanation |
# | mean, median | strong here; ask the network | hardly anything | no; often a blend that is nobody | one explanation |
# | blur | weak here; ask the network | what is smooth | more or less | one explanation |
# | noise | strong | hardly anything; chance decides which pixels | no | one explanation; which seed? |
# | neutral, by search | none | hardly anything | no | one explanation and a search |
# | adversarial | strong | what was not attacked | nearly | one explanation and a search |
# | many from the data | hardly any, together | hardly anything | yes | one explanation for each baseline |

# %% [markdown]
# What you can do:
#
# 1. **Name it.** "Against a black page" belongs in the caption.
# 2. **Ask it.** Print F(x') and the baseline's opinion.
# 3. **Subtract it.** Where x - x' is zero you have asked nothing. Check whether the object of your question lies there.
# 4. **Change it.** What stays the same under two baselines with opposite blind spots can hardly be their doing. Whatever changes comes from the choice of baseline.

# %% [markdown]
# ### Exercise 5: a baseline for a question
#
# ●●○ · 7 minutes
#
# A colleague has a network that you have never seen, and asks about one region of an input: which of *these* features made the answer? She offers several baselines. First drop those that silence her question: keep a candidate only if it differs from x by `least` or more in every feature of the region. Of what is left, take the most neutral, by the measure of exercise 1: the one whose *largest* class probability is the smallest. The other probabilities do not count.
#
# <details><summary>Hint 1</summary>
#
# A feature may be above its baseline or below. How far apart they are has no sign.
#
# <details><summary>Hint 2</summary>
#
# <code>(candidates - x).abs()[:, region]</code> has a row for each candidate. What must hold in a whole row?
#
# <details><summary>Hint 3</summary>
#
# All candidates have the same classes, so the largest probability alone says which is the most neutral. Drop rows from the candidates *and* from what you compare, or the indices will not match.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-07-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_baseline(f, x, region, candidates, least):
    """The most neutral of the baselines that let every feature of the region speak.

    f: (N, features) -> (N, classes), probabilities;  x: (1, features);
    region: (features,), bool;  candidates: (K, features);  least: a number.
    Returns (1, features), one of the candidates.
    """
    ### BEGIN SOLUTION
    apart = (candidates - x).abs()[:, region]
    left = candidates[(apart >= least).all(dim=1)]
    return left[f(left).amax(dim=1).argmin()][None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-07-5", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("07.5", choose_baseline)

# %% [markdown]
# ## Recap
#
# From [lesson 06](06_axioms.ipynb): F = x1 x2 treats both features alike, and both are 1 in x. In a blurred baseline x1 is 0 and x2 is 1/2. Does symmetry demand equal shares?
#
# <details><summary>Answer</summary>
#
# No. Symmetry speaks of features that are equal in x *and* in x'. This baseline tells them apart, and the shares are 3/4 and 1/4: the feature that went farther gets more.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A network takes photographs after a mean colour is subtracted and the rest divided by a standard deviation. You pass a baseline of zeros. What are you comparing with?
#
# <details><summary>A. A grey picture.</summary>
#
# Right. A baseline lives in the units that F takes. In a standardised table, zeros are the mean of every column; in a one-hot column, zero is "not this one".
#
# </details>
# <details><summary>B. A black picture.</summary>
#
# In the units that the network takes, zero is the mean colour: grey. Black is what the preprocessing makes of a black picture.
#
# </details>

# %% [markdown]
# **Question 2.** F(x) - F(x') is 0.9, and your shares add up to -0.9. What happened?
#
# <details><summary>A. The baseline has an opinion.</summary>
#
# Its opinion is in F(x'), and so already in the 0.9. Whatever it is, the shares must add up to F(x) - F(x').
#
# </details>
# <details><summary>B. More speaks against the class than for it.</summary>
#
# Then F(x) - F(x') would be negative itself, as for the patient against the mean. A negative sum is no mistake; a sum with the wrong sign is.
#
# </details>
# <details><summary>C. x and x' have changed places.</summary>
#
# Right. The path was walked backwards, as in lesson 04, and every share has the wrong sign. What speaks for the answer is painted as evidence against it.
#
# </details>

# %% [markdown]
# **Question 3.** You average the baselines first and explain against their mean. A colleague explains against each and averages. Do your results agree?
#
# <details><summary>A. Yes, integrals are linear.</summary>
#
# Linear in F, but not in the baseline: another baseline is another path.
#
# </details>
# <details><summary>B. Not in general.</summary>
#
# Right. Your shares add up to F(x) minus F of the mean; hers to F(x) minus the mean of F. She asks why the score is above the average score; you ask why it is above the score of one average input, which may be nobody's. For a linear F the two are the same.
#
# </details>
# <details><summary>C. Only for an odd number of baselines.</summary>
#
# That matters for medians. Here F decides: if it is linear, they agree.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("07")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. What equals the baseline gets nothing. A baseline decides who may not speak.
# 2. Neutral means that no class stands out. Measure it; it is a property of the network, and a network has many neutral inputs.
# 3. Every baseline is a choice. Name it, ask it, and try a second one with another blind spot.
#
# **Where it comes from.** Baselines, and the warning about adversarial ones: Sundararajan, Taly and Yan (2017). Blur: Fong and Vedaldi (2017). Noise and uniform baselines, and a comparison of many: Sturmfels, Lundberg and Lee (2020). Expected gradients: Erion et al. (2021). Adversarial examples: Szegedy et al. (2013); the step: Moosavi-Dezfooli et al. (2016). The table of patients: Wolberg, Mangasarian, Street and Street (1993).
#
# **What is next.** [Lesson 08](08_image_models.ipynb): from digits to photographs, and how to show an attribution honestly.
