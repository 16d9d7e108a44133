# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 04 · Integrated gradients
#
# **The question.** One gradient at the end of the way missed what happened on it. What do all the gradients along the way say together?
#
# **You will be able to**
# - derive Integrated Gradients from an identity, in two lines;
# - write it in six lines, and see completeness appear by itself;
# - say what the choice of the path decides, and what is lost when the signs are thrown away.
#
# **You need** [lesson 03](03_reference_background.ipynb), and the rule that the derivative of F along a way is gradient times velocity.
#
# **Time.** 50 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks are small.

# %%
import torch

import igteach
from igteach import show
from igteach.datasets import load_digits
from igteach.exercises import check
from igteach.models import digits

device = igteach.device()

# %% [markdown]
# ## The same step, in smaller pieces
#
# Lesson 02 left us with F(x) = 1 - ReLU(1 - x). From 0 to 2 it gains 1, and gradient times way at x = 2 explains nothing of it.
#
# What if we do not take the way in one step? Cut it into pieces. For each piece, take the slope in its middle, times the length of the piece. Add up.

# %%
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
x, baseline = torch.tensor([[2.0]], device=device), torch.tensor([[0.0]], device=device)

for pieces in (1, 3, 7, 31):
    alphas = (torch.arange(pieces, device=device) + 0.5) / pieces
    points = baseline + alphas[:, None] * (x - baseline)
    explained = (igteach.gradient(f, points).values * (x - baseline) / pieces).sum()
    print(f"pieces: {pieces:2d}   explained: {float(explained):.2f} of 1")

# %% [markdown]
# **Predict.** Is 1 the limit, or does the sum go past it? Why?
#
# A smooth F, or one with a few kinks, is nearly straight on a small piece, and on a straight piece slope times length is exact. So the pieces add up to the whole: to F(x) - F(x'), whatever F did on the way. In one line, for any path from x' to x:
#
# $$F(x) - F(x') \;=\; \int_0^1 \frac{d}{d\alpha}\, F\bigl(\gamma(\alpha)\bigr)\, d\alpha \;=\; \sum_i \int_0^1 \frac{\partial F}{\partial x_i}\bigl(\gamma(\alpha)\bigr)\; \gamma_i'(\alpha)\; d\alpha .$$
#
# The left half is the fundamental theorem of calculus, the right half the chain rule. Read the right-hand side: it is a sum over features. **Each term is a share.** Nothing was approximated, and nothing was assumed about importance.
#
# Before you use it, watch it add up on functions with several features.

# %% [markdown]
# ### Exercise 1: walk the way
#
# ●○○ · 8 minutes
#
# Add up slope times piece along the straight way from the baseline to x, cut into `steps` pieces of one length, with the slope in the middle of each.
#
# <details><summary>Hint 1</summary>
#
# The middles are at alpha = (k + 1/2) / steps for k = 0, 1, ... The points are <code>baseline + alpha * (x - baseline)</code>.
#
# <details><summary>Hint 2</summary>
#
# <code>igteach.gradient(f, points).values</code> takes a batch of points: <code>(steps, features)</code>.
#
# <details><summary>Hint 3</summary>
#
# A piece of the way is <code>(x - baseline) / steps</code>.
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-04-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def walk(f, x, baseline, steps):
    """F(x) - F(x'), added up from slopes along the straight way.

    f: (N, features) -> (N,);  x, baseline: (1, features);  steps: int.  Returns one number.
    """
    ### BEGIN SOLUTION
    alphas = (torch.arange(steps).to(x) + 0.5) / steps
    points = baseline + alphas[:, None] * (x - baseline)
    return (igteach.gradient(f, points).values * (x - baseline) / steps).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-04-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.1", walk)

# %% [markdown]
# ## The picture
#
# Two features, F(x1, x2) = x1 x2 + x2. The way runs straight from (0, 0) to (1, 1). At each point of it the gradient has two parts, and each part pushes F along its own axis.

# %%
surface = igteach.toy(lambda x1, x2: x1 * x2 + x2)
ticks = torch.linspace(-0.2, 1.3, 41, device=device)
grid = torch.cartesian_prod(ticks, ticks).flip(1)
straight = torch.linspace(0, 1, 21, device=device)[:, None] * torch.ones(1, 2, device=device)
show.plane(surface(grid).view(41, 41), across=(-0.2, 1.3), up=(-0.2, 1.3), path=straight)

# %%
alphas = torch.linspace(0, 1, 21, device=device)
slopes = igteach.gradient(surface, straight).values
show.curves(alphas, {"slope along x1": slopes[:, 0], "slope along x2": slopes[:, 1]}, xlabel="alpha", ylabel="gradient")

# %% [markdown]
# Both features go the same way, from 0 to 1. So a feature's share is the area under its line. **Predict** both areas from the figure; then run the cell.

# %%
ones = torch.ones(1, 2, device=device)
attribution = igteach.integrated_gradients(surface, ones)
print("shares:", show.rounded(attribution.values), "  F(x) - F(x') =", show.rounded(attribution.f_input - attribution.f_baseline))

# %% [markdown]
# ## The straight path
#
# On the straight path feature i moves at the constant velocity x_i - x'_i, which comes out of the integral:
#
# $$\mathrm{IG}_i(x) \;=\; (x_i - x'_i)\;\int_0^1 \frac{\partial F}{\partial x_i}\bigl(x' + \alpha\,(x - x')\bigr)\, d\alpha .$$
#
# In words: **how far the feature went, times its average slope on the way.** Beside gradient times way of lesson 03 one word has changed: the average slope, and not the last one.

# %% [markdown]
# ### Exercise 2: Integrated Gradients
#
# ●●○ · 12 minutes
#
# Write it with the midpoint rule: the average over alpha = (k + 1/2) / steps. Six lines will do. Use autograd or `igteach.gradient`.
#
# <details><summary>Hint 1</summary>
#
# You have most of it from exercise 1. There you added over steps and features at once; now keep the features apart.
#
# <details><summary>Hint 2</summary>
#
# Average the gradients over the steps: <code>.mean(dim=0)</code>.
#
# <details><summary>Hint 3</summary>
#
# Multiply at the end, by how far each feature went. The result has the shape of x.
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-04-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_integrated_gradients(f, x, baseline, steps):
    """The share of each feature in F(x) - F(x'), along the straight path.

    f: (N, features) -> (N,);  x, baseline: (1, features);  steps: int.  Returns (1, features).
    """
    ### BEGIN SOLUTION
    alphas = (torch.arange(steps).to(x) + 0.5) / steps
    points = baseline + alphas[:, None] * (x - baseline)
    average_slope = igteach.gradient(f, points).values.mean(dim=0)
    return (x - baseline) * average_slope
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-04-2", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("04.2", my_integrated_gradients)

# %% [markdown]
# From here on the package's function stands in for yours. It does the same, for whole batches and in bounded memory.
#
# ## What was broken is mended
#
# The saturated network of lesson 02 first, then an alarm with two sensors that needs only one: F = 1 - ReLU(1 - x1 - x2). The gradient at (1, 1) is zero, and so is what occlusion finds.

# %%
print("F = 1 - ReLU(1 - x) at 2: the share is 1 within 0.02:", bool((igteach.integrated_gradients(f, x).values - 1).abs() < 0.02))

alarm = igteach.toy(lambda x1, x2: 1 - torch.relu(1 - x1 - x2))
print("the alarm, gradient:            ", show.rounded(igteach.gradient(alarm, ones).values))
print("the alarm, Integrated Gradients:", show.rounded(igteach.integrated_gradients(alarm, ones).values))

# %% [markdown]
# Two sensors that did the same get the same. And a whole network: take all held-out digits, let the number of steps grow, and see completeness appear.

# %%
score = igteach.probability(digits.load_flat())
data = load_digits()
pictures = data.x_test[:100].to(device)
labels = score(pictures).argmax(dim=1)

counts = [1, 2, 4, 8, 16, 32, 64]
missing = [
    igteach.integrated_gradients(score, pictures, target=labels, steps=count).relative_residual.median() for count in counts
]
show.curves(
    counts,
    {"half of the digits are better than this": missing},
    xlabel="steps",
    ylabel="|residual| / |F(x) - F(x')|",
    logarithmic=True,
)

# %% [markdown]
# This is the network whose saliency was empty. No step was told to make the shares add up; they add up because the identity holds. What the residual cannot tell, lesson 05 will.
#
# ## Another path, other shares
#
# The identity holds for *any* path. Do the shares depend on it? Take F = x1 x2 + x3, from (0, 0, 0) to (1, 1, 1).

# %%
product = igteach.toy(lambda x1, x2, x3: x1 * x2 + x3)
corner = torch.tensor([[1.0, 0.0, 0.0]], device=device)
end = torch.ones(1, 3, device=device)

first_leg = igteach.integrated_gradients(product, corner)
second_leg = igteach.integrated_gradients(product, end, baseline=corner)
print("straight:            ", show.rounded(igteach.integrated_gradients(product, end).values))
print("first x1, then others:", show.rounded(first_leg.values + second_leg.values))

# %% [markdown]
# Both lines add up to 2. But who moved last took the whole product: while x1 went, x2 was still 0, and nothing happened; when x2 went, x1 was already there.
# A path with corners treats features by their turn. The straight path lets all of them move at once, and it gives equal shares to features that play equal parts. Lesson 06 turns this into an axiom.

# %% [markdown]
# ### Exercise 3: a path with a corner
#
# ●●○ · 7 minutes
#
# Write the shares along the path that goes straight from the baseline to a corner, and from there straight to x.
#
# <details><summary>Hint 1</summary>
#
# The cell above does it for one corner. Each leg is a straight path with a baseline of its own.
#
# <details><summary>Hint 2</summary>
#
# <code>igteach.integrated_gradients(f, x, baseline).values</code> has the shape of x.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-04-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def with_corner(f, baseline, corner, x):
    """The share of each feature along the path baseline -> corner -> x, 64 steps a leg.

    f: (N, features) -> (N,);  baseline, corner, x: (1, features).  Returns (1, features).
    """
    ### BEGIN SOLUTION
    first = igteach.integrated_gradients(f, corner, baseline).values
    second = igteach.integrated_gradients(f, x, corner).values
    return first + second
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-04-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("04.3", with_corner)

# %% [markdown]
# ## Backwards, and without signs
#
# **Predict.** Explain the black picture, with the digit as its baseline. What becomes of the shares?

# %%
picture, label = pictures[6:7], int(labels[6])
black = torch.zeros_like(picture)
there = igteach.integrated_gradients(score, picture, black, target=label, steps=256)
back = igteach.integrated_gradients(score, black, picture, target=label, steps=256)
print("the same shares with the other sign:", torch.allclose(there.values, -back.values, atol=1e-6))

# %% [markdown]
# The way back undoes the way there, piece by piece. A share belongs to a *difference*, and a difference has a direction.
#
# Many tools show the size of the share only, |IG|. Look at what goes missing.

# %%
show.heatmaps({"IG": there.values[0, 0], "|IG|": there.values[0, 0].abs()}, picture=picture[0, 0])

# %%
gained = (there.f_input - there.f_baseline)[0]
print("IG adds up to F(x) - F(x') within 1%:", bool((there.values.sum() - gained).abs() < 0.01 * gained))
print("|IG| adds up to more than that:      ", bool(there.values.abs().sum() > 1.01 * gained))
print("some pixels spoke against the answer:", bool((there.values < -0.01).any()))

# %% [markdown]
# In the right-hand map the pixels that spoke *against* the answer look like its best evidence. And the sum means nothing any more: |IG| breaks completeness. Show the sign.
#
# ## Recap
#
# From [lesson 02](02_saturation.ipynb): two networks were equally accurate and equally sure, and saliency found nothing in one of them. In one sentence: why does Integrated Gradients find something?
#
# <details><summary>Answer</summary>
#
# Its gradient vanishes at the digits but not on the way to them. The score had to rise somewhere between black and the digit, and where it rises there are gradients to average.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** What had to be assumed about F for the shares to add up?
#
# <details><summary>A. That it is a neural network.</summary>
#
# Nothing of the kind entered. The fundamental theorem of calculus holds for any function that can be followed along the path.
#
# </details>
# <details><summary>B. That the path meets only a few points where F has no gradient.</summary>
#
# Right. A kink that is crossed does no harm. A kink that runs along the path would; lesson 06 shows one.
#
# </details>
# <details><summary>C. That the gradient does not change sign on the way.</summary>
#
# It may. Slopes of opposite sign cancel, as they should.
#
# </details>

# %% [markdown]
# **Question 2.** A feature has the same value in x and x'. What is its share on the straight path, and on a path with corners?
#
# <details><summary>A. Zero on both.</summary>
#
# On the straight path, yes. A path with corners may take the feature away from its value and back again, and slopes may differ on the two ways.
#
# </details>
# <details><summary>B. Zero on the straight path; on another it may be anything.</summary>
#
# Right. On the straight path its velocity is zero all the way.
#
# </details>

# %% [markdown]
# **Question 3.** F is linear. How many steps does Integrated Gradients need?
#
# <details><summary>A. One.</summary>
#
# Right. The slope is the same everywhere, so one slope is the average. IG is then gradient times (x - x').
#
# </details>
# <details><summary>B. 20 to 300, as the paper says.</summary>
#
# That is advice for deep networks. A straight line needs no averaging.
#
# </details>

# %% [markdown]
# ## In three lines
#
# **Take away.**
#
# 1. F(x) - F(x') is an integral of gradients along a path, and that integral is a sum over features. Each term is a share.
# 2. On the straight path a share is how far the feature went, times its average slope on the way.
# 3. The path decides the shares, not their sum. Signs are part of the answer.
#
# **Where it comes from.** Integrated Gradients: Sundararajan, Taly and Yan (2017). The derivation from the identity rather than from axioms: Su Jianlin (2020).
#
# **What is next.** Lesson 05: how many steps, which rule, and how to know that the answer is right.
