# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 04 · Integrated gradients
#
# **The question.** One gradient, at the end of the path, missed what happened along it. What do all the gradients on the path say together?
#
# **You will be able to**
# - name the identity behind Integrated Gradients, and say what it requires of F;
# - write the method in six lines, and watch completeness appear by itself;
# - say what the choice of path decides, and what is lost with the signs.
#
# **You need** [lesson 03](03_reference_background.ipynb), and the chain rule: along a path, F changes at the rate gradient times velocity.
#
# **Time.** 55 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks are small.

# %%
import torch

import igteach
from igteach import explore, show
from igteach.datasets import load_digits
from igteach.exercises import check
from igteach.models import digits

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## The same step, in smaller pieces
#
# You saw the formula in lesson 00. Here is where it comes from.
#
# Lesson 02 left us with F(x) = 1 - ReLU(1 - x). From 0 to 2.2 it gains 1, and the slope at x = 2.2 explains none of it. What if we do not take the distance in one step? Cut it into pieces. For each piece, multiply the slope at its midpoint by its length. Add up.
#
# **Predict.** With more and more pieces, does the sum approach 1 from below, from above, or from both sides?

# %% tags=["slide"]
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
x, baseline = torch.tensor([[2.2]], device=device), torch.tensor([[0.0]], device=device)

for pieces in (1, 2, 4, 8, 16, 32, 64):
    alphas = (torch.arange(pieces, device=device) + 0.5) / pieces
    slopes = igteach.gradient(f, baseline + alphas[:, None] * (x - baseline)).values
    total = float((slopes * (x - baseline) / pieces).sum())
    print(f"pieces: {pieces:2d}   explained: {total:.2f} of 1")

# %% [markdown] tags=["slide-goes-on"]
# From both sides. In each of these rows exactly one piece contains the kink. If its midpoint lies before the kink, the piece counts fully; if beyond it, not at all. The shorter the piece, the smaller its error can be. On all the remaining pieces F is straight, and there slope times length is exact.

# %% [markdown] tags=["slide"]
# So the pieces add up to the whole, F(x) - F(x'). F may do what it likes in between, provided that it does not jump, and has a slope everywhere but at a few points. (A hard decision, such as a yes or no, jumps. If a model ends in such a decision, let F be the number on which the decision is based.) In one line, for any path $\gamma(\alpha)$ with $\gamma(0) = x'$ and $\gamma(1) = x$:
#
# $$F(x) - F(x') \;=\; \int_0^1 \frac{d}{d\alpha}\, F\bigl(\gamma(\alpha)\bigr)\, d\alpha \;=\; \sum_i \int_0^1 \frac{\partial F}{\partial x_i}\bigl(\gamma(\alpha)\bigr)\; \frac{d\gamma_i}{d\alpha}\; d\alpha .$$
#
# The first equals sign is the fundamental theorem of calculus, the second the chain rule. The right-hand side is a sum over features. **Each term is a share.** Nothing was approximated, and nothing was assumed about importance.

# %% [markdown]
# ### Exercise 1: walk any path
#
# ●○○ · 7 minutes
#
# A path is a list of stops from the baseline to x, joined by straight pieces. Add up slope times piece along it, with the slope at the midpoint of each piece.
#
# <details><summary>Hint 1</summary>
#
# <code>stops[1:]</code> and <code>stops[:-1]</code> are the two ends of every piece. Their mean is its midpoint; their difference is the piece.
#
# <details><summary>Hint 2</summary>
#
# <code>igteach.gradient(f, middles).values</code> takes all the midpoints at once: <code>(pieces, features)</code>.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-04-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def walk(f, stops):
    """F at the last stop minus F at the first, from slopes at the pieces' midpoints.

    f: (N, features) -> (N,);  stops: (pieces + 1, features).  Returns one number.
    """
    ### BEGIN SOLUTION
    middles = (stops[1:] + stops[:-1]) / 2
    return (igteach.gradient(f, middles).values * stops.diff(dim=0)).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-04-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.1", walk)

# %% [markdown] tags=["slide"]
# ## The picture
#
# Two features, F(x1, x2) = x1 x2 + x2. The path runs straight from the baseline (0, 0) to the input (1, 1). The first figure shows it, the second the two components of the gradient along it.

# %% tags=["slide-goes-on"]
surface = igteach.toy(lambda x1, x2: x1 * x2 + x2)
ticks = torch.linspace(-0.2, 1.3, 41, device=device)
grid = torch.cartesian_prod(ticks, ticks).flip(1)
straight = torch.linspace(0, 1, 21, device=device)[:, None].repeat(1, 2)
heights = surface(grid).view(41, 41)
show.plane(heights, across=(-0.2, 1.3), up=(-0.2, 1.3), path=straight)

# %% tags=["slide-goes-on"]
alphas = torch.linspace(0, 1, 21, device=device)
slopes = igteach.gradient(surface, straight).values
show.curves(
    alphas,
    {"slope along x1": slopes[:, 0], "slope along x2": slopes[:, 1]},
    xlabel="alpha (0: baseline, 1: input)",
    ylabel="slope of F",
)

# %% [markdown]
# Both features go the same distance, from 0 to 1, at the same pace. So each feature's share is the area under its line. **Predict** both areas from the figure, then run the cell.

# %%
ones = torch.ones(1, 2, device=device)
attribution = igteach.integrated_gradients(surface, ones, steps=64)
shares = show.rounded(attribution.values)
gained = show.rounded(attribution.f_input - attribution.f_baseline)
print("shares:", shares, "  F(x) - F(x') =", gained)

# %% [markdown]
# A triangle, 1/2, and a triangle on top of a square, 3/2. Together they are what F gained.

# %% [markdown] tags=["slide"]
# ## The straight path
#
# On the straight path, feature i moves at constant velocity $x_i - x'_i$, which can be taken outside the integral:
#
# $$\mathrm{IG}_i(x) \;=\; (x_i - x'_i)\;\int_0^1 \frac{\partial F}{\partial x_i}\bigl(x' + \alpha\,(x - x')\bigr)\, d\alpha .$$
#
# In words: **how far the feature went, times its average slope on the path.** The first-order share of lesson 03 took the slope at x. Now it is the *average* slope.

# %% [markdown]
# ### Exercise 2: Integrated Gradients
#
# ●●○ · 12 minutes
#
# Write it with the midpoint rule: the average over alpha = (k + 1/2) / steps. Six lines will do. Use autograd or `igteach.gradient`.
#
# <details><summary>Hint 1</summary>
#
# As in exercise 1, there is a slope for each point, but now keep the features separate. The points are <code>baseline + alpha * (x - baseline)</code>.
#
# <details><summary>Hint 2</summary>
#
# Average the gradients over the steps: <code>.mean(dim=0)</code>.
#
# <details><summary>Hint 3</summary>
#
# Multiply at the end by how far each feature went. The result has the shape of x.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-04-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_integrated_gradients(f, x, baseline, steps):
    """Each feature's share of F(x) - F(x') along the straight path.

    f: (N, features) -> (N,);  x, baseline: (1, features);  steps: int.
    Returns (1, features).
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
# From here on the package's function stands in for yours. It does the same for whole batches, a few rows at a time, so that memory does not run out.

# %% [markdown] tags=["slide"]
# ## What was broken
#
# First the saturated unit of lesson 02. Then an alarm with two sensors, either of which is enough: F = 1 - ReLU(1 - x1 - x2), at (1, 1). Its gradient is zero there, and occlusion finds nothing either.

# %% tags=["slide-goes-on"]
by_ig = igteach.integrated_gradients(f, x, steps=64).values
print("1 - ReLU(1 - x): gradient", show.rounded(igteach.gradient(f, x).values))
print("1 - ReLU(1 - x): IG      ", show.rounded(by_ig, 1))

alarm = igteach.toy(lambda x1, x2: 1 - torch.relu(1 - x1 - x2))
one_off = torch.tensor([[0.0, 1.0], [1.0, 0.0]], device=device)
by_gradient = igteach.gradient(alarm, ones).values
by_occlusion = alarm(ones) - alarm(one_off)
by_ig = igteach.integrated_gradients(alarm, ones, steps=64).values
print("the alarm, gradient:            ", show.rounded(by_gradient))
print("the alarm, occlusion:           ", show.rounded(by_occlusion))
print("the alarm, Integrated Gradients:", show.rounded(by_ig))

# %% [markdown]
# Two sensors that did the same get the same. (The alarm of lesson 02, max(x1, x2), has its kink on the line x1 = x2, and our path runs along that line; lesson 06 shows what happens then.) Now a whole network: take the first hundred held-out digits, let the number of steps grow, and watch completeness appear.

# %%
score = igteach.probability(digits.load_flat())
data = load_digits()
pictures = data.x_test[:100].to(device)
labels = score(pictures).argmax(dim=1)

counts = [1, 2, 4, 8, 16, 32, 64]
missing = []
for count in counts:
    answer = igteach.integrated_gradients(score, pictures, target=labels, steps=count)
    missing.append(answer.relative_residual.median())
show.curves(
    counts,
    {f"median of {len(pictures)} digits": missing},
    xlabel="steps",
    ylabel="|residual| / |F(x) - F(x')|",
    logarithmic=True,
)

# %% [markdown]
# This is the network whose saliency was empty, and yet its shares add up once there are enough steps. But a small residual is not everything: lesson 05 shows what it cannot tell you.

# %% [markdown] tags=["slide"]
# ## Another path, other shares
#
# The identity holds for *any* path. Do the shares depend on which? Take F = x1 x2 + x3, from (0, 0, 0) to (1, 1, 1).

# %% tags=["slide-goes-on"]
product = igteach.toy(lambda x1, x2, x3: x1 * x2 + x3)
corner = torch.tensor([[1.0, 0.0, 0.0]], device=device)
end = torch.ones(1, 3, device=device)

at_once = igteach.integrated_gradients(product, end)
first = igteach.integrated_gradients(product, corner)
second = igteach.integrated_gradients(product, end, corner)
print("straight:              ", show.rounded(at_once.values))
print("first leg, x1 alone:   ", show.rounded(first.values))
print("second leg, the others:", show.rounded(second.values))

# %% [markdown]
# On the straight path the shares add up to 2, and so do the two legs together. But on the corner path x2 took the whole product, because it moved after x1: while x1 moved, x2 was still 0 and nothing happened; when x2 moved, x1 was already there.
# On a path with corners, a feature's share depends on when its turn comes. The straight path moves all features at once, and gives equal shares to those that play the same role. Lesson 06 turns this into an axiom, and lesson 11 walks other paths.

# %% [markdown]
# ### Exercise 4: the shares of strokes
#
# ●●○ · 8 minutes
#
# A digit is made of strokes, and strokes cross: a pixel may belong to two of them. Let x be the baseline plus all strokes, and turn all of them up together, from nothing to full, on the straight path. What is the share of each *stroke*? The shares of the strokes, too, must add up to F(x) - F(x'). Use 64 steps and the midpoint rule.
#
# <details><summary>Hint 1</summary>
#
# Look at the identity again: along the path, F changes at the rate slope times velocity. The velocity is x - x'. What is it the sum of?
#
# <details><summary>Hint 2</summary>
#
# You may think of the amounts of the strokes as the features: f of <code>baseline + amounts @ strokes</code>, from amounts of 0 to amounts of 1.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-04-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stroke_shares(f, baseline, strokes):
    """Each stroke's share of F(x) - F(x'), where x is the baseline plus all strokes.

    f: (N, features) -> (N,);  baseline: (1, features);  strokes: (strokes, features).
    Returns (strokes,).
    """
    ### BEGIN SOLUTION
    alphas = ((torch.arange(64) + 0.5) / 64).to(strokes)
    path = baseline + alphas[:, None] * strokes.sum(dim=0)
    return strokes @ igteach.gradient(f, path).values.mean(dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-04-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("04.4", stroke_shares)

# %% [markdown]
# Now move the points yourself, on the surface of the first picture and on two others. The page computes the shares anew each time.
#
# **Predict.** With F = x1 x2 + x2, put the corner at (1, 0), then at (0, 1). Who gets the product each time? And what do the two lines below the shares do?

# %%
explore.surface_explorer(baseline=(0.0, 0.0), corner=(1.0, 0.0), x=(1.0, 1.0))

# %% [markdown]
# With the corner at (1, 0), x1 moves while x2 is still 0, and x2 gets everything. With the corner at (0, 1), x2 moves first and gets its own term, 1, and the product goes to x1. The lines below the shares are slope *times velocity*, not slope alone as before. In each half of the path one of them is zero: the feature that does not move gets nothing.
#
# ## Backwards, and without signs
#
# **Predict.** Explain the black picture with the digit as its baseline. What becomes of the shares?

# %%
picture, label = pictures[2:3], int(labels[2])
black = torch.zeros_like(picture)
there = igteach.integrated_gradients(score, picture, black, target=label, steps=256)
back = igteach.integrated_gradients(score, black, picture, target=label, steps=256)
strongest = there.values.abs().argmax()
pair = [shares.values.flatten()[strongest] for shares in (there, back)]
left = (there.values + back.values).abs().max()
print("the strongest share, there and back:", show.rounded(pair, 2))
print(f"the largest |share there + share back|: {left:.5f}")

# %% [markdown]
# Every share keeps its magnitude and flips its sign: the path back undoes the path out, piece by piece. A share belongs to a *difference*, and a difference has a direction.

# %% [markdown] tags=["slide"]
# Many tools show only the magnitude of a share, |IG|. Look at what goes missing.

# %% tags=["slide-goes-on"]
shares = there.values[0, 0]
show.heatmaps(
    {"IG from black": shares, "|IG| from black: signs lost": shares.abs()},
    picture=picture[0, 0],
    unit=f"share of F, the probability of {label}",
)

# %%
gained = (there.f_input - there.f_baseline)[0]
spoke_against = there.values.clamp(max=0).sum()
in_all, strength = there.values.sum(), there.values.abs().sum()
print("the sum of IG, over F(x) - F(x'):  ", show.rounded(in_all / gained, 2))
print("the sum of |IG|, over F(x) - F(x'):", show.rounded(strength / gained, 2))
print("the sum of the negative shares:    ", show.rounded(spoke_against, 2))

# %% [markdown]
# In the right-hand map, the pixels that spoke *against* the answer look like evidence for it. And the sum no longer means anything: |IG| breaks completeness. Divide the magnitudes by their total, as many tools do, and their size is lost, too: shares ten times as large give the same map. Show the sign.
#
# The negative shares alone add up to -1.5, more than any probability can fall. Only the sum of *all* shares must lie between -1 and 1.
#
# ## Walk the path
#
# The next figure has a slider. Walk from black to the digit: the slider starts at alpha = 0.2, in mid-climb. Which shares have accumulated by then? Where does F stop rising, and what is left of the gradient from there on?

# %% tags=["nbval-ignore-output"]
explore.path_explorer(score, picture, black, label)

# %% [markdown]
# At alpha = 0.2 the map has nearly its final pattern, though not yet its strength. By alpha = 0.4 F has all but arrived. Beyond it the gradient fades and the shares stand still. This is the saturation of lesson 02, with the climb before it.
#
# ## Recap
#
# From [lesson 02](02_saturation.ipynb): two networks were equally accurate and equally sure, and saliency found nothing in one of them. In one sentence: why does Integrated Gradients find something?
#
# <details><summary>Answer</summary>
#
# The network's gradient vanishes at the digits but not on the path to them: the score had to rise somewhere between black and the digit, and where it rises there are gradients to average.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** What had to be assumed about F for the shares to add up?
#
# <details><summary>A. That it is a neural network.</summary>
#
# No such assumption was made. Nothing in the identity speaks of layers or weights.
#
# </details>
# <details><summary>B. That F does not jump on the path, and has a gradient at all but a few points of it.</summary>
#
# Right. A kink that the path crosses does no harm. A jump would be missed: a step function has slope 0 everywhere else. And a kink that runs along the path leaves no gradient to average; lesson 06 shows one.
#
# </details>
# <details><summary>C. That the gradient does not change sign on the path.</summary>
#
# It may. Slopes of opposite sign cancel, as they should.
#
# </details>

# %% [markdown]
# **Question 2.** A feature has the same value in x and x'. What is its share on the straight path, and on a path with corners?
#
# <details><summary>A. Zero on both.</summary>
#
# On the straight path, yes. A path with corners may take the feature away from its value and back again, and the slopes out and back may differ.
#
# </details>
# <details><summary>B. Zero on the straight path; on another it may be anything.</summary>
#
# Right. On the straight path its velocity is zero all the way.
#
# </details>

# %% [markdown]
# **Question 3.** F is linear. With 50 steps your shares add up to 50 times F(x) - F(x'), with 100 steps to 100 times. What is wrong?
#
# <details><summary>A. There are too few steps.</summary>
#
# A linear F has the same slope everywhere. One step is enough, and IG is gradient times (x - x').
#
# </details>
# <details><summary>B. The slopes were added up and not averaged.</summary>
#
# Right. A sum grows with the number of steps; the average divides it by that number. When a sum is wrong, *how* it is wrong often names the bug.
#
# </details>
# <details><summary>C. The factor x - x' was forgotten.</summary>
#
# That is a bug, too, but it does not depend on the steps: the average slopes would add up to the same wrong number with 50 and with 100.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("04")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. F(x) - F(x') is an integral of gradients along a path, and that integral is a sum over features. Each term is a share.
# 2. On the straight path a share is how far the feature went, times its average slope on the path.
# 3. The path decides the shares, not their sum. Signs are part of the answer.
#
# **Where it comes from.** Integrated Gradients: Sundararajan, Taly and Yan (2017). The derivation from the identity rather than from axioms: Su Jianlin (2020).
#
# **What is next.** [Lesson 05](05_computing_the_integral.ipynb): how many steps, which rule, and how to know that the answer is right.
