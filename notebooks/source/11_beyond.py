# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 11 · Beyond the straight line
#
# **The question.** Integrated Gradients walks straight from x' to x. What changes if you take another path, and what stays?
#
# **You will be able to**
# - tell methods apart by the path they take: straight, chosen, through codes, one feature at a time;
# - say what Shapley values and Integrated Gradients have in common, where they part, and what each costs;
# - follow the shares into a hidden layer, and test them there;
# - explain a model that has no gradient: an ensemble of trees.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb), [lesson 06](06_axioms.ipynb) and [lesson 07](07_baselines.ipynb). Exact shares come from [lesson 05](05_computing_the_integral.ipynb).
#
# **Time.** 100 minutes, exercises included.
#
# **GPU.** It changes nothing but the speed. Trees run on the CPU.

# %%
import time

import torch
from sklearn.ensemble import GradientBoostingClassifier

import igteach
from igteach import axioms, captum_methods, show
from igteach.methods.guided import guided_path
from igteach.methods.latent import latent_path
from igteach.datasets import load_digits, load_patients
from igteach.exercises import check
from igteach.models import autoencoder, digits, patients

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## Two complete answers
#
# Take min(x1, x2) at (1, 3), against (0, 0). F goes from 0 to 1.
#
# **Predict.** Integrated Gradients (IG) and Shapley values both distribute this 1. Do they agree?

# %% tags=["slide"]
minimum = igteach.toy(lambda x1, x2: torch.minimum(x1, x2))
x = torch.tensor([[1.0, 3.0]], device=device)
baseline = torch.zeros(1, 2, device=device)

straight = igteach.integrated_gradients(minimum, x, baseline)
shapley = igteach.shapley_values(minimum, x, baseline)
for name, answer in (("IG", straight), ("Shapley", shapley)):
    shares, total = show.rounded(answer.values[0]), show.rounded(answer.values.sum())
    print(f"{name:8s} {shares}  sum {total}")

# %% [markdown]
# They do not agree, and neither has a mistake in it.
#
# On the straight line x1 is the smaller all the way. F follows x1 and never feels x2: x1 gets everything. Shapley values ask something else. Move one feature to its end, then the other. The first move does nothing, whichever it is; the second gains everything. Average over both orders, and each gets half.

# %% [markdown]
# But "one feature, then the other" is a path from x' to x, too. It runs along the edges of the box.
#
# Lesson 04 has the formula, for any path $\gamma$ from $\gamma(0) = x'$ to $\gamma(1) = x$:
#
# $$\text{share}_i = \int_0^1 \frac{\partial F}{\partial x_i}(\gamma(\alpha))\; \gamma_i'(\alpha)\, d\alpha$$
#
# In words: the slope of F along feature i, times that feature's *velocity*, $\gamma_i' = dx_i / d\alpha$, added up along the path. On the straight path every velocity is constant, $x_i - x'_i$, and leaves the integral: that is IG. On a path along the edges one feature moves at a time, and takes all that F gains.
#
# By the chain rule the shares add up to F(x) - F(x'), whatever the path. Everything else in this lesson is a choice of $\gamma$.
#
# `path_gradients` takes any path. With it, Shapley values need only a few lines.


# %%
def one_by_one(order):
    """Waypoints along the edges of the box: the features move in this order."""
    here, stops = baseline.clone(), [baseline.clone()]
    for i in order:
        here[0, i] = x[0, i]
        stops.append(here.clone())
    return torch.stack(stops)


by_order = {
    order: igteach.path_gradients(minimum, one_by_one(order), steps=96).values
    for order in ((0, 1), (1, 0))
}
for order, values in by_order.items():
    print(f"x{order[0] + 1} moves first:", show.rounded(values[0], 2))
mean = sum(by_order.values()) / 2
print("their mean:    ", show.rounded(mean[0], 2))

# %% tags=["slide"]
side = torch.linspace(-0.25, 3.25, 71, device=device)
grid = torch.cartesian_prod(side, side).flip(1)
show.plane(
    minimum(grid).view(71, 71), (-0.25, 3.25), (-0.25, 3.25), one_by_one((1, 0))[:, 0]
)

# %% [markdown]
# On the path drawn, x2 moves first. Up the left edge nothing happens: the minimum is x1, which is 0. Along the top edge x1 moves, and F rises.
#
# So: **IG is one path. Shapley values are the average of many**, one for each order of the features. Two features have two orders; ten have over three million.

# %% [markdown]
# In lesson 06 you tried every order of three features. But what a feature gains depends only on *which* others have moved, not on their order: F at eight points is enough.

# %% [markdown]
# ### Exercise 1: Shapley values from a table
#
# ●●○ · 10 minutes
#
# F was evaluated at all mixtures of x and x'. `v[1, 0, 1]` is F with the first and third features as in x, and the second as in x'. Find the three Shapley values.
#
# <details><summary>Hint 1</summary>
#
# Write down the six orders of three features. In each, where does the first feature stand, and which have moved before it?
#
# <details><summary>Hint 2</summary>
#
# The first feature comes first in two orders, last in two, and second in two. What does it gain in each?
#
# <details><summary>Hint 3</summary>
#
# First feature: a third of <code>v[1, 0, 0] - v[0, 0, 0]</code>, a sixth of each gain after one other, a third of the gain after both. A loop over <code>itertools.permutations(range(3))</code> works as well.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-11-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shapley_from_table(v):
    """The Shapley value of each of three features.

    v: (2, 2, 2), F at all mixtures; index 1 means that the feature is as in x.
    Returns (3,).
    """
    ### BEGIN SOLUTION
    shares = []
    for i in range(3):
        # after (nobody, the second of the others), (the first, both)
        gain = v.select(i, 1) - v.select(i, 0)
        shares.append((gain[0, 0] + gain[1, 1]) / 3 + (gain[0, 1] + gain[1, 0]) / 6)
    return torch.stack(shares)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-1", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("11.1", shapley_from_table)

# %% [markdown]
# Now side by side on three functions: the minimum, a product, and a small network with random weights.
#
# **Predict.** For x1 · x2 at (1, 3), which gets more, x1 or x2? By IG, and by Shapley?

# %%
product = igteach.toy(lambda x1, x2: x1 * x2)
torch.manual_seed(0)
network = torch.nn.Sequential(
    torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
).to(device)
point = torch.tensor([[2.0, -2.0, 1.0]], device=device)
for name, f, at in (
    ("minimum", minimum, x),
    ("product", product, x),
    ("network", network, point),
):
    by_path = igteach.integrated_gradients(f, at, steps=64).values
    by_orders = igteach.shapley_values(f, at).values
    ours, theirs = show.rounded(by_path[0], 2), show.rounded(by_orders[0], 2)
    print(f"{name}  IG {ours!s:22s} Shapley {theirs}")
    gap = (by_path.sum() - by_orders.sum()).abs() / by_orders.abs().sum()
    print(f"{'':8s} the sums are apart by {gap.item():.0%} of all |share|")

# %% [markdown]
# On the product they agree: each factor is needed, and each gets half, though 3 is more than 1. On functions like the minimum, where it matters *which feature is smaller*, they part. A network is full of such places, so they part there, too.
#
# ## What it costs
#
# IG needs gradients, but their number does not grow with the features. Exact Shapley values need F alone, but at every mixture. If that is too much, Captum's sampling (lesson 06) draws some of the orders.
#
# **Predict.** Up to how many features is the exact Shapley value cheaper than IG with 64 steps?


# %%
def rows_asked(method, features):
    """How many rows a method gives to F, for one example with this many features."""
    asked = []

    def f(points):
        asked.append(len(points))
        return points.prod(dim=1)

    method(f, torch.ones(1, features, device=device))
    return sum(asked)


def in_64_steps(f, x):
    return igteach.integrated_gradients(f, x, steps=64)


counts = list(range(2, 16))
methods = {
    "IG, 64 steps": in_64_steps,
    "Shapley, exact": igteach.shapley_values,
    "Shapley, 25 orders": captum_methods.shapley_sampling,
}
asked = {
    name: [rows_asked(method, n) for n in counts] for name, method in methods.items()
}
show.curves(
    counts, asked, xlabel="features", ylabel="rows given to F", logarithmic=True
)

# %%
exact, by_steps = asked["Shapley, exact"], asked["IG, 64 steps"]
cheaper = [n for n, ours, ig in zip(counts, exact, by_steps) if ours < ig]
print("exact Shapley values ask for fewer rows than IG up to", max(cheaper), "features")
times = [show.rounded(b / a, 2) for a, b in zip(exact[6:], exact[7:])]
print("each further feature multiplies them by", times)

# %% [markdown]
# Up to five: $2^5 = 32$ mixtures are fewer than 64 steps, $2^6 = 64$ are not. (Each method asks for a few rows beyond its formula.)
#
# With both axes logarithmic, n, n² and n³ are all straight lines. The exact values curve upwards, and so outgrow any power: each further feature doubles them.
#
# Row counts are the same on every machine; seconds are not. In seconds the crossing lies elsewhere, too: a row without a gradient costs less than one with.


# %% tags=["nbval-ignore-output"]
def seconds(method, features):
    """The fastest of three runs, on a network with two hidden layers."""
    torch.manual_seed(0)
    layers = (
        torch.nn.Linear(features, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 1),
    )
    model = torch.nn.Sequential(*layers).to(device)
    here, runs = torch.ones(1, features, device=device), []
    for _ in range(3):
        began = time.perf_counter()
        method(model, here).values.cpu()
        runs.append(time.perf_counter() - began)
    return min(runs)


took = {name: [seconds(method, n) for n in counts] for name, method in methods.items()}
per_row = took["Shapley, exact"][-1] / 2 ** counts[-1]
minutes, years = per_row * 2**30 / 60, per_row * 2**64 / 3.2e7
print(
    f"at this rate 30 measurements take {minutes:.0f} minutes, "
    f"and 64 pixels {years:,.0f} years"
)
show.curves(counts, took, xlabel="features", ylabel="seconds", logarithmic=True)

# %% [markdown]
# For a handful of features exact Shapley values may even be cheaper. For the 64 pixels of a digit they are out of reach on any machine: you have just read the number of years. What remains are samples, with their sampling error.
#
# ## Averages: a cloud, and many baselines
#
# Two methods that you have met take averages, too. Over what?
#
# **SmoothGrad** (Smilkov et al. 2017) averages gradients over a cloud around x; it is the smoothed gradient of lesson 08. Its maps look less noisy. Does it cure saturation? Take 1 - ReLU(1 - x) at 2, from lesson 02. F rises between 0 and 1, then stays flat.
#
# **Predict.** The cloud has standard deviation 0.3. What does SmoothGrad say?

# %%
saturating = igteach.toy(lambda x: 1 - torch.relu(1 - x))
two = torch.tensor([[2.0]], device=device)
cloud = igteach.smoothgrad(saturating, two, stdev=0.3, samples=200)
line = igteach.integrated_gradients(saturating, two)
print(f"SmoothGrad finds {cloud.values.item():.1f}")
print(f"IG finds {line.values.item():.1f} of the rise of 1")

# %% [markdown]
# It says 0, like the gradient. F rises only below 1, and a noisy copy of 2 gets there about once in two thousand times. A cloud sees as far as it reaches, and no further. The line reaches the baseline, wherever that is. The two can be combined: `smoothgrad(..., method=igteach.integrated_gradients)` averages IG over noisy copies of x.

# %%
held_out, reader = load_digits(), digits.load(device)
score = igteach.logit(reader)
digit = held_out.x_test[held_out.y_test == 3][:1].to(device)
maps = {
    "gradient": igteach.gradient(score, digit, None, 3),
    "SmoothGrad": igteach.smoothgrad(score, digit, None, 3, stdev=0.2, samples=50),
    "IG": igteach.integrated_gradients(score, digit, None, 3),
    "SmoothGrad of IG": igteach.smoothgrad(
        score,
        digit,
        None,
        3,
        method=igteach.integrated_gradients,
        stdev=0.2,
        samples=50,
    ),
}
show.attributions(digit[0], maps)

# %% [markdown]
# The first two have no baseline and no residual: they are slopes. The last adds up to what the *noisy copies* gain on average. That is not F(x) - F(x'); the map's title says by how much it is off. Noise also puts ink where the picture had none, so black pixels get shares, too.
#
# **Expected gradients** (Erion et al. 2021) average over baselines: one straight path from each. The exact average costs baselines times steps. Instead, the method draws a random point on a random path, again and again. So it has an error that IG lacks: sampling error.

# %%
table = load_patients()
judge = igteach.logit(patients.load(device))
some, background = table.x_test[:8].to(device), table.x_train[:100].to(device)
truth = igteach.average_integrated_gradients(
    judge, some, background[:, None], steps=128
).values
size = truth.abs().sum(dim=1)

samples, wrong, promised = [64, 256, 1024, 4096], [], []
for count in samples:
    answers = [
        igteach.expected_gradients(judge, some, background, samples=count, seed=seed)
        for seed in range(5)
    ]
    errors = [(answer.values - truth).abs().sum(dim=1) / size for answer in answers]
    wrong.append(torch.stack(errors).mean())
    promised.append(torch.stack([answer.error_estimate for answer in answers]).mean())
show.curves(
    samples,
    {"error": torch.stack(wrong), "its estimate": torch.stack(promised)},
    xlabel="samples",
    ylabel="fraction of all |share|",
    logarithmic=True,
)

# %%
times = [estimate / error for estimate, error in zip(promised, wrong)]
print("64 times the samples divide the error by", show.rounded(wrong[0] / wrong[-1], 2))
print("the estimate is the error times", show.rounded(times, 2))

# %% [markdown]
# With independent samples the error falls like $1/\sqrt{n}$, so sixty-four times the work divides it by about eight. The midpoint rule of lesson 05 does better: $1/n$, even if F has kinks. The estimate is cautious: about twice the error. It comes from the samples themselves.

# %% [markdown]
# ### Exercise 5: how many samples?
#
# ●●○ · 8 minutes
#
# A first run has drawn some samples. Each sample gave one value for each feature, slope times $x_i - x'_i$; call it the feature's pull in that sample. A share is the mean of its pulls, and is typically off by their standard deviation over the root of their number. Add this up over the features, as a fraction of all |share|: that is an estimate of the error. The estimate may be at most `tolerance`. Going by the first run, how many samples are needed in all, at the least?
#
# <details><summary>Hint 1</summary>
#
# What would the estimate be with one sample, with 4, and with 100? Only the number changes.
#
# <details><summary>Hint 2</summary>
#
# <code>pulls.std(dim=0)</code> says how widely the samples spread, feature by feature, and <code>pulls.mean(dim=0)</code> holds the shares. More samples change neither, but for luck.
#
# <details><summary>Hint 3</summary>
#
# Write the estimate as a fixed number over the root of n, and solve for n. Then round so that the estimate is within the tolerance.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-11-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def samples_needed(pulls, tolerance):
    """The smallest number of samples whose error estimate is at most the tolerance.

    pulls: (samples, features), those of a first run, with the spread as torch's std
    gives it;  tolerance: a fraction of all |share|.  Returns one whole number.
    """
    ### BEGIN SOLUTION
    of_one = pulls.std(dim=0).sum() / pulls.mean(dim=0).abs().sum()
    return ((of_one / tolerance) ** 2).ceil()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("11.5", samples_needed)

# %% [markdown] tags=["slide"]
# ## A path that looks where it goes
#
# A straight line may cross steep ground that has nothing to do with x: halfway to a photograph, a network sees a dim photograph. **Guided IG** (Kapishnikov et al. 2021) avoids such ground. The path is made of short pieces, its legs. All legs are equally long. The length of a leg is the sum of the distances that its features move. At the start of each leg the method takes the gradient *there*. The tenth of the features with the smallest |slope| (at least one) move first, towards x; once they have arrived, the next tenth moves, until the leg is used up.
#
# **Predict.** Back to the product at (1, 3). At (0, 0) the two slopes are equal, and equal slopes move together: the first leg goes along the straight line. Along which feature is the slope smaller at its end? Which gets the larger share when x is reached?

# %% tags=["slide"]
way = guided_path(product, x, legs=64)
guided = igteach.guided_integrated_gradients(product, x, legs=64, steps=512)
show.plane(
    (grid[:, 0] * grid[:, 1]).view(71, 71), (-0.25, 3.25), (-0.25, 3.25), way[:, 0]
)

# %% tags=["slide-goes-on"]
print("guided IG:", show.rounded(guided.values[0]))
print("F(x) - F(x'):", show.rounded((guided.f_input - guided.f_baseline).item()))

# %% [markdown] tags=["slide-goes-on"]
# The slope of x1 · x2 along x2 is x1, the smaller number. So x2 goes first, all the way, while F hardly rises. Then x1 moves, and nearly the whole rise is its own. IG gave each half.

# %% [markdown]
# Both are complete. The halves were a fact about the straight line, not about the product. Now digits.

# %%
x_digits, y_digits = held_out.x_test[:60].to(device), held_out.y_test[:60].to(device)
plain = igteach.integrated_gradients(score, x_digits, None, y_digits)
guided = igteach.guided_integrated_gradients(
    score, x_digits, None, y_digits, tolerance=0.02
)
moved = (plain.values - guided.values).abs().flatten(1).sum(dim=1)
apart = moved / plain.values.abs().flatten(1).sum(dim=1)
print(f"the residual, 60 digits: at most {guided.relative_residual.max().item():.0%}")
middle = show.rounded(apart.median(), 1)
print(f"the maps differ by {middle} of all |share| (median)")

# %%
show.attributions(
    digit[0],
    {
        "straight": igteach.integrated_gradients(score, digit, None, 3),
        "guided, kept near": igteach.guided_integrated_gradients(
            score, digit, None, 3, max_distance=0.1
        ),
        "guided": igteach.guided_integrated_gradients(score, digit, None, 3),
    },
)

# %% [markdown]
# In the middle map, `max_distance` kept the path near the straight line: no feature may run far ahead of it or fall far behind. At 0 it *is* the straight line.

# %% [markdown] tags=["slide"]
# What is the price? The path depends on F, so the shares of f + g are no longer those of f plus those of g. Here are four choices of path, put to the axioms of lesson 06:


# %% tags=["slide-goes-on"]
def first_to_last(f, x, baseline=None, target=None):
    """One order only: the first feature moves first."""
    start = torch.as_tensor(0.0 if baseline is None else baseline).to(x).expand_as(x)
    stops = [start.flatten(1)]
    for i in range(stops[0].shape[1]):
        stops.append(torch.cat([x.flatten(1)[:, : i + 1], stops[0][:, i + 1 :]], dim=1))
    return igteach.path_gradients(
        f, torch.stack(stops).view(-1, *x.shape), target, steps=960
    )


paths = {
    "straight (IG)": igteach.integrated_gradients,
    "one order": first_to_last,
    "all orders (Shapley)": igteach.shapley_values,
    "guided": igteach.guided_integrated_gradients,
}
show.axiom_table(axioms.axiom_table(paths))

# %% [markdown]
# The completeness column is full: that was the chain rule. The others show what a choice of path may cost. In a single order it matters who comes first, and symmetry goes. Let F choose the path, and linearity goes: lesson 06 spoke of paths fixed beforehand.
#
# ## A path among digits
#
# Between two digits a straight line shows a double exposure: one fades, the other appears. No such picture was ever scanned, and the network was never asked to read one. A small **autoencoder** offers another path. It turns a digit into a code of eight numbers and back. Go straight from *code* to *code*, and decode (Jha et al. 2020).
#
# No decoder gives a picture back exactly. So what the decoder loses at x' is put back, in full at x' and less and less on the way; what it loses at x is put back more and more, in full at x. Then the path begins at x' and ends at x.

# %%
coder = autoencoder.load(device)
six, five = (
    held_out.x_test[held_out.y_test == number][:1].to(device) for number in (6, 5)
)
through_codes = latent_path(coder.encode, coder.decode, five, six)
places = (0.0, 0.25, 0.5, 0.75, 1.0)
show.heatmaps(
    {f"straight, {alpha:g}": torch.lerp(six, five, alpha)[0, 0] for alpha in places},
    kind="picture",
)

# %%
show.heatmaps(
    {f"codes, {alpha:g}": through_codes(alpha)[0, 0] for alpha in places},
    kind="picture",
)

# %% [markdown]
# **Predict.** How would you measure whether a picture on the path looks like a digit? What could fool your measure?
#
# Here is one measure: the distance to the nearest training digit. We take a hundred pairs of held-out digits, each pair from two different classes.

# %%
known = held_out.x_train.to(device).flatten(1)
drawn = torch.randperm(len(held_out.x_test), generator=torch.Generator().manual_seed(1))
one, other = (held_out.x_test[half].to(device) for half in drawn[:300].view(2, 150))
differ = (held_out.y_test[drawn[:150]] != held_out.y_test[drawn[150:300]]).to(device)
one, other = one[differ][:100], other[differ][:100]


def to_nearest(pictures):
    """(N,) the distance of each picture to the nearest known digit."""
    return torch.cdist(pictures.flatten(1), known).amin(dim=1)


curve = latent_path(coder.encode, coder.decode, other, one)
alphas = torch.linspace(0, 1, 21)
on_straight, on_curve = [], []
for alpha in alphas.tolist():
    on_straight.append(to_nearest(torch.lerp(one, other, alpha)).mean())
    on_curve.append(to_nearest(curve(alpha)).mean())
far = {"straight": torch.stack(on_straight), "through codes": torch.stack(on_curve)}
show.curves(alphas, far, xlabel="alpha", ylabel="distance to the nearest digit")

# %%
nearer = to_nearest(curve(0.5)) < to_nearest((one + other) / 2)
copies = to_nearest(coder(other).detach())
halfway = show.rounded(to_nearest(curve(0.5)).mean(), 2)
real = show.rounded(to_nearest(other).mean(), 2)
count = int(nearer.sum())
print(f"half-way, the path through codes is nearer to digits for {count} of 100 pairs")
print("its distance from them, on average:", halfway)
print("that of a real held-out digit:", real)
print("that of a real digit through the decoder:", show.rounded(copies.mean(), 2))

# %% [markdown]
# Nearer, but not all the way. And the last line shows what fools the measure: a real digit comes out of the decoder *nearer* to other digits than it went in. A decoder blurs, and a blurred picture is near many others. Some of the gain is blur. Besides, the autoencoder was chosen by its results on these held-out digits; on others it may do a little worse.
#
# What does the path do to the shares? Ask: why a five, and not the six?

# %%
on_line = igteach.integrated_gradients(score, five, six, 5, steps=256)
on_curve = igteach.path_gradients(
    score, through_codes, 5, x=five, baseline=six, steps=256
)
for name, answer in (("straight", on_line), ("through codes", on_curve)):
    gained = (answer.f_input - answer.f_baseline).item()
    total = show.rounded(answer.values.sum(), 2)
    print(f"{name:14s} sum {total}   F(x) - F(x') {show.rounded(gained, 2)}")
apart = (on_line.values - on_curve.values).abs().sum() / on_line.values.abs().sum()
print(f"they differ by {show.rounded(apart, 1)} of all |share|")
show.attributions(five[0], {"straight": on_line, "through codes": on_curve})

# %% [markdown]
# Different shares, the same sum. One thing is new: on a curved path a pixel that is equal in x' and x may still get a share, because it moves on the way and comes back. On the straight line it never moves, and gets nothing.
#
# A path through codes is only as good as its autoencoder, a second network that you must trust.
#
# ## Through a hidden layer
#
# So far the shares belonged to pixels. But F reads hidden units, and they move too, as the pixels go from x' to x. What does each *unit* get?
#
# Cut the network in two. The first half turns the straight line of pixels into a curve of units. The second half is a function of units. That is a path, and a function: nothing new is needed. (x' is black, so the line is alpha times x.)

# %%
layers = list(reader)
first, rest = torch.nn.Sequential(*layers[:4]), torch.nn.Sequential(*layers[4:])
units = igteach.path_gradients(
    rest, lambda alpha: first(alpha * x_digits).detach(), y_digits, steps=64
)
conductance = igteach.neuron_conductance(
    score, reader[3], x_digits, None, y_digits, steps=64
)
print("one share for each unit:", tuple(conductance.values.shape))
gap = (units.values - conductance.values).abs().sum() / conductance.values.abs().sum()
print(f"the package's neuron_conductance is apart by {gap.item():.0%}")
most = conductance.relative_residual.max().item()
print(f"the largest residual, as a fraction of F(x) - F(x'): {most:.0%}")

# %% [markdown]
# This is **conductance** (Dhamdhere, Sundararajan and Yan 2019). `neuron_conductance` finds the layer by itself and needs no cut. The shares add up if x reaches F through this layer alone. In a residual network, take the output of a whole block. If a skip connection bypasses the layer, the shares do not add up, and the residual is what went around it.

# %% [markdown]
# ### Exercise 3: the share of a unit
#
# ●●○ · 8 minutes
#
# You get the units' values at the ends of all steps along the path, and the slope of F along each unit in the middle of each step. Find the conductance of each unit.
#
# <details><summary>Hint 1</summary>
#
# In a small step F gains slope times the unit's displacement.
#
# <details><summary>Hint 2</summary>
#
# Units do not move evenly, although the pixels do. Each step has its own displacement: <code>heights[1:] - heights[:-1]</code>.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-11-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conductance_of(heights, slopes):
    """The share of each unit in F(x) - F(x').

    heights: (steps + 1, units), at the ends of the steps;  slopes: (steps, units), of
    F along each unit.  Returns (units,).
    """
    ### BEGIN SOLUTION
    return (slopes * heights.diff(dim=0)).sum(dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-3", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("11.3", conductance_of)

# %% [markdown]
# A share is a claim about a unit. Units can be tested. The layer has sixteen channels; add up the shares in each. Then set one channel back to its values for black, leave the others, and see what F loses.
#
# **Predict.** Is what F loses without a channel close to its share? Or is it closer to how much the channel's *activation* changed?

# %%
by_channel = conductance.values.flatten(2).sum(dim=2)
with torch.no_grad():
    hidden, at_black = first(x_digits), first(torch.zeros_like(x_digits))
    lost = []
    for channel in range(16):
        without = hidden.clone()
        without[:, channel] = at_black[:, channel]
        lost.append((rest(hidden) - rest(without)).gather(1, y_digits[:, None])[:, 0])
    lost = torch.stack(lost, dim=1)
    lit = (hidden - at_black).flatten(2).sum(dim=2)


def correlation(a, b):
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]


print("share and loss correlate:", show.rounded(correlation(by_channel, lost), 2))
print(f"change of activation and loss correlate: {correlation(lit, lost).item():.1f}")
largest = by_channel.argmax(dim=1, keepdim=True)
smallest = by_channel.abs().argmin(dim=1, keepdim=True)
count = int((lost.gather(1, largest) > lost.gather(1, smallest)).sum())
print(
    "the channel with the largest share costs more than the one with the smallest, "
    f"for {count} of 60 digits"
)

# %%
show.bars(
    [str(channel) for channel in range(16)],
    {"share of the channel": by_channel[0], "what F loses without it": lost[0]},
    ylabel="logit",
)

# %% [markdown]
# Shares and losses go together (the figure shows one digit, a seven). The change of activation says next to nothing: a channel may change much where the rest of the network hardly listens. Shares and losses need not be equal: channels work together, so single losses do not add up to F(x) - F(x'). Shares do.

# %% [markdown] tags=["slide"]
# ## Models without gradients
#
# Back to the patient of lesson 07, about whom the network was not sure. A hospital would rather use trees: a hundred small ones, each a few questions like *is the worst area above a threshold?* Their answers add up to F, in log odds.
#
# **Predict.** What is the gradient of F? How does F change along the straight line from the median patient to her?

# %% tags=["slide"]
trees = GradientBoostingClassifier(random_state=0).fit(
    table.x_train.numpy(), table.y_train.numpy()
)
malignant = igteach.probability(patients.load("cpu"))
patient = table.x_test[(malignant(table.x_test)[:, 0] - 0.3).abs().argmin()][None]
median = table.x_train.median(dim=0, keepdim=True).values

nudged = patient + 1e-5 * patient * torch.eye(30)
before = trees.decision_function(patient.numpy())
after = trees.decision_function(nudged.numpy())
moved = int((after != before).sum())
print("nudges of a hundred-thousandth that move F, of 30:", moved)
steps = torch.linspace(0, 1, 501)
on_the_way = median + steps[:, None] * (patient - median)
heights = trees.decision_function(on_the_way.numpy())
show.curves(
    steps,
    {"F, a hundred trees": heights},
    xlabel="alpha, from the median patient to her",
    ylabel="log odds of malignant",
)

# %% [markdown]
# F is a staircase: between two jumps its slope is zero, and at a jump it has none. So every gradient that you can take is zero, and so is every share, with any number of steps. A network trained to imitate the trees is another F: it may agree at the patients and differ between them, where the path runs. Its shares explain the imitation.

# %% [markdown] tags=["slide-goes-on"]
# But look at one jump. It happens where the path crosses a split. **One feature crosses it, and the jump belongs to that feature.** No integral is needed: list the crossings, and add up the jumps. The answer is exact.

# %% [markdown]
# And a tie? If two features cross at the very same alpha, the path does not say who was first. So each feature gets the mean of its gains over both orders: Shapley's rule, for this one jump.

# %% [markdown]
# ### Exercise 4: the jumps of stumps
#
# ●●○ · 10 minutes
#
# A stump asks one question: is this feature above a threshold? F is the sum of many stumps. Give each feature the jumps of the stumps whose thresholds it crosses from start to end.
#
# <details><summary>Hint 1</summary>
#
# <code>start[feature]</code> holds, for each stump, the value that it looks at. <code>torch.where</code> chooses between left and right.
#
# <details><summary>Hint 2</summary>
#
# A stump looks at one feature. What it gains between start and end is the jump, or zero if the path stays on one side.
#
# <details><summary>Hint 3</summary>
#
# Several stumps may look at one feature: <code>torch.zeros_like(start).index_add(0, feature, gains)</code> adds them up, and so does a loop.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-11-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def jumps(thresholds, feature, left, right, start, end):
    """The share of each feature in F(end) - F(start), for a sum of stumps.

    thresholds, left, right: (stumps,);  feature: (stumps,), the feature that each
    looks at;  start, end: (features,).
    A stump gives left if its feature is at most the threshold, else right.
    Returns (features,).
    """
    ### BEGIN SOLUTION
    before = torch.where(start[feature] <= thresholds, left, right)
    after = torch.where(end[feature] <= thresholds, left, right)
    return torch.zeros_like(start).index_add(0, feature, after - before)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("11.4", jumps)

# %% [markdown]
# With stumps the order of the crossings does not matter, so every path gives the same shares, and so do Shapley values. This holds for every F that is a sum of functions of one feature each, such as a linear one. A deeper tree asks some questions only after certain answers. Then it matters *when* a feature crosses: one that crosses its split while the tree does not ask about it gets nothing. So it was with x2 in the minimum: F did not feel it when it moved.
#
# `tree_integrated_gradients` walks the straight line through every tree. `tree_shapley_values` averages over all orders, as the program TreeSHAP does with one baseline (Lundberg et al. 2020); for trees that is cheap, even with thirty features.

# %%
stumps = GradientBoostingClassifier(max_depth=1, random_state=0).fit(
    table.x_train.numpy(), table.y_train.numpy()
)
for name, model in (("stumps", stumps), ("trees of depth 3", trees)):
    by_path = igteach.tree_integrated_gradients(model, table.x_test, median)
    by_orders = igteach.tree_shapley_values(model, table.x_test, median)
    gap = (by_path.values - by_orders.values).abs()
    residual = max(by_path.residual.abs().max(), by_orders.residual.abs().max())
    print(f"{name:17s} the largest residual of both: {residual:.8f}")
    largest = show.rounded(gap.max(), 2)
    print(f"{'':17s} the two differ, over all patients, by at most {largest}")
    same = by_path.values.argmax(dim=1) == by_orders.values.argmax(dim=1)
    print(
        f"{'':17s} the same measurement speaks loudest for malignant: "
        f"{show.rounded(same.float().mean(), 2)} of the patients"
    )

# %% [markdown]
# Now the patient herself.

# %%
path = igteach.tree_integrated_gradients(trees, patient, median)
orders = igteach.tree_shapley_values(trees, patient, median)
loudest = orders.values[0].abs().argsort(descending=True)[:5].tolist()
print(f"{'':22s} path  orders")
for i in loudest:
    ours, theirs = show.rounded([path.values[0, i], orders.values[0, i]], 2)
    print(f"{table.names[i]:22s}{ours:5}{theirs:8}")
ours, theirs = show.rounded([path.values.sum(), orders.values.sum()], 2)
print(f"{'all thirty':22s}{ours:5}{theirs:8}")

# %%
show.bars(
    [table.names[i].replace(" ", "\n") for i in loudest],
    {
        "along the straight line": path.values[0, loudest],
        "mean over all orders": orders.values[0, loudest],
    },
    ylabel="log odds of malignant",
)

# %% [markdown]
# The same sum, but different shares. Why? Watch the one that differs most. For each alpha, ask what F would do if *only* this measurement went from the median to hers, with all others as they are on the path at that alpha.

# %%
widest = int((path.values - orders.values).abs().argmax())
others = median + steps[:, None] * (patient - median)
with_hers, with_median = others.clone(), others.clone()
with_hers[:, widest], with_median[:, widest] = patient[0, widest], median[0, widest]
f_hers = trees.decision_function(with_hers.numpy())
gains = f_hers - trees.decision_function(with_median.numpy())
print("the measurement:", table.names[widest])
show.curves(
    steps,
    {f"what {table.names[widest]} would gain": gains},
    xlabel="alpha of all the others",
    ylabel="log odds of malignant",
)

# %% [markdown]
# What the measurement is worth depends on where the others are: far more in the middle of the path than at either end. IG asks only at the alphas where this measurement crosses a split. Shapley values put some of the other measurements at the median and the rest at hers, and average over such mixtures, which do not lie on the straight line. The two methods answer two questions: IG *what happened on the way*, Shapley values *what it would add, on average, whoever came before*.
#
# This is where her case ends. Beside the median patient she is the more suspect, to the network and to the trees, and her texture speaks against malignant. How much each measurement counts depends on the baseline, the model and the path; a report names all three.
#
# ## Trees and a network
#
# A hospital may add two models: F is the sum of the trees' log odds and those of the network of lesson 03. The trees have no gradient. But shares are linear in F, if the path does not depend on it. So explain each model exactly, the network by its linear pieces as in lesson 05, and add.

# %%
net = patients.load("cpu")
of_net = igteach.exact_integrated_gradients(igteach.logit(net), patient, median)
both = igteach.sum_attributions(path, of_net)
with torch.no_grad():
    f_patient, f_median = (
        torch.from_numpy(trees.decision_function(z.numpy())) + net(z)[:, 0].double()
        for z in (patient, median)
    )
print("the shares add up to", show.rounded(both.values.sum()))
print("F(x) - F(x') of the sum, by hand:", show.rounded((f_patient - f_median).item()))

# %% [markdown]
# With guided paths that would not work: they gave up linearity.
#
# ## Recap
#
# From [lesson 07](07_baselines.ipynb): why did the same network give different shares against the mean patient and against the median patient? Is that a choice of path?
#
# <details><summary>Answer</summary>
#
# It is more than a choice of path. Another baseline is another beginning: it changes not only the path but also what is distributed, F(x) - F(x'). In this lesson both ends stay, and so does the sum.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Two methods explain F(x) - F(x'). Both are complete, and their shares differ. What follows?
#
# <details><summary>A. One has too few steps.</summary>
#
# Possible, and the error estimate would tell you. But two exact methods may differ, too: they took different paths.
#
# </details>
# <details><summary>B. They took different paths.</summary>
#
# Right. Or averages over different paths. Completeness holds on each of them, and picks none.
#
# </details>
# <details><summary>C. F is not differentiable.</summary>
#
# The product is as smooth as can be, and guided IG still differs from IG.
#
# </details>

# %% [markdown]
# **Question 2.** Debug from the sum. SmoothGrad of IG, on the digit of this lesson, adds up to 88% of F(x) - F(x'), with 64 steps for each copy and with 1,000. IG of the digit itself adds up. Where is the bug?
#
# <details><summary>A. There are too few steps.</summary>
#
# Then a thousand would come closer than 64.
#
# </details>
# <details><summary>B. Nowhere. It adds up to something else.</summary>
#
# Right. The shares of each copy add up to F(copy) - F(x'), and the mean of the shares to the mean of these gains. The noise costs this digit some of its score. More copies give that mean more exactly, but that mean is not F(x) - F(x').
#
# </details>
# <details><summary>C. The weights of the rule add up to 0.88.</summary>
#
# Then IG of the digit itself would come to 88%, too.
#
# </details>

# %% [markdown]
# **Question 3.** Along the straight line a measurement crosses a split of a tree, and F does not jump. What does it get for that crossing?
#
# <details><summary>A. Nothing.</summary>
#
# Right. An earlier question has sent the path down another branch. By Shapley values it may well get something: they also try this crossing with other values of the remaining measurements.
#
# </details>
# <details><summary>B. A fraction of the jump that F makes later.</summary>
#
# A jump belongs to whoever crosses when it happens.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("11")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. A path from x' to x gives shares that add up, whatever the path. The rest is choice: straight, chosen by slopes, through codes, or the mean over all orders, which is Shapley's.
# 2. Every gain has a price: sampling has an error, a chosen path loses linearity, a path through codes needs a second network, and the cost of exact Shapley values doubles with each feature.
# 3. The idea needs no gradient. In a tree a jump belongs to the feature that crosses; in a layer a share belongs to the unit that moves.
#
# **Where it comes from.** Shares along a path: Friedman (2004). Shapley values: Shapley (1953); against one baseline: Sundararajan and Najmi (2020). SmoothGrad: Smilkov et al. (2017). Expected gradients: Erion et al. (2021). Guided IG: Kapishnikov et al. (2021). Paths through codes: Jha et al. (2020). Conductance: Dhamdhere, Sundararajan and Yan (2019); Lundstrom et al. (2022). Jumps: Merrill et al. (2019). TreeSHAP: Lundberg et al. (2020). The table of patients: Wolberg, Mangasarian, Street and Street (1993).
#
# **What is next.** [Lesson 12](12_trust.ipynb): does an attribution tell the truth, and how would you find out that it does not?
