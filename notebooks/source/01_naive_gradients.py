# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 01 · Naive gradients
#
# **The question.** A network gives a picture a score. What does the gradient of that score say about the picture, and what does it not say?
#
# **You will be able to**
# - predict a small change of a score from its gradient, and check a gradient without autograd;
# - draw the saliency map of a picture;
# - name the question that a gradient answers, and tell it apart from the one you meant to ask.
#
# **You need** [lesson 00](00_start_here.ipynb), partial derivatives, and a first course in PyTorch.
#
# **Time.** 50 minutes, exercises included.
#
# **GPU.** It changes nothing here; the network is small.

# %%
import torch

import igteach
from igteach import show
from igteach.datasets import load_digits
from igteach.exercises import check
from igteach.models import digits

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## A small surprise
#
# Two features go into a score: F(x1, x2) = 3 x1 + 0.1 x2. Our example is x = (0, 10).
#
# `igteach.toy` turns a function of plain numbers into one that takes a batch, one example per row.

# %% tags=["slide-goes-on"]
f = igteach.toy(lambda x1, x2: 3 * x1 + 0.1 * x2)
x = torch.tensor([[0.0, 10.0]], device=device)

print("F(x) =", show.rounded(f(x)))

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** Which feature will the gradient call important? Which one is the score made of? Write both down before you run the next cell.

# %% tags=["slide"]
print("gradient:           ", show.rounded(igteach.gradient(f, x).values))
print("x1 and x2 contribute", show.rounded([3 * x[0, 0], 0.1 * x[0, 1]]))

# %% [markdown] tags=["slide-goes-on"]
# The gradient favours x1 by a factor of thirty. Yet x1 is 0, and the whole score came from x2.
#
# Neither answer is wrong. They answer different questions:
#
# - *What if I nudged it?* A nudge of x1 moves the score thirty times as far as the same nudge of x2.
# - *What did it contribute?* All of the score is x2's.
#
# The gradient answers the first. Most people who ask "why this score?" mean the second.

# %% [markdown] tags=["slide"]
# ## The gradient is a promise about small steps
#
# Move x by a small step d. The score moves by about
#
# $$F(x + d) - F(x) \;\approx\; \sum_i \frac{\partial F}{\partial x_i}\, d_i .$$
#
# The next cell tests that promise. The function is curved, so the promise can fail.

# %% tags=["slide-goes-on"]
bent = igteach.toy(lambda x1, x2: x1 * x1 * x2 + x2)
start = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
direction = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
slope = (igteach.gradient(bent, start).values * direction).sum()

sizes = torch.logspace(-3, 0, 7, dtype=torch.float64)
promised = sizes * slope
happened = torch.cat([bent(start + size * direction) - bent(start) for size in sizes])
show.curves(
    sizes,
    {
        "|promised - happened|": (promised - happened).abs(),
        "|happened|": happened.abs(),
    },
    xlabel="t, for the step d = t (1, 1)",
    ylabel="change of F",
    logarithmic=True,
)

# %% [markdown]
# On these axes a straight line is a power law. Each time the step shrinks tenfold, the change shrinks about tenfold and the error a hundredfold: the error goes with the *square* of the step.
# For a small enough step the promise is as good as you like. For t = 1 it is worth little: the error is nearly half of the change itself.
#
# An attribution has to explain the whole distance from "no picture" to "this picture". That is not a small step. Remember it in lesson 02.
#
# ## Checking a gradient without autograd
#
# Autograd gives the gradient by the chain rule. To check it, nudge one feature to either side and see how far F moves:
#
# $$\frac{\partial F}{\partial x_i} \;\approx\; \frac{F(x + h e_i) - F(x - h e_i)}{2h},$$
#
# where $e_i$ is 1 in position $i$ and 0 elsewhere.

# %% [markdown]
# ### Exercise 1: the central difference
#
# ●○○ · 8 minutes
#
# Write the formula above. The check will try it on several smooth functions.
#
# <details><summary>Hint 1</summary>
#
# Make a step that is zero everywhere except at <code>feature</code>: <code>torch.zeros_like(x)</code> is a start.
#
# <details><summary>Hint 2</summary>
#
# Do not write into <code>x</code>. Add the step to it once, and subtract it once, always starting from the same <code>x</code>.
#
# <details><summary>Hint 3</summary>
#
# The two points lie <code>2 * step</code> apart. <code>f</code> returns one number per row; there is one row.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-01-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def finite_difference(f, x, feature, step):
    """The slope of f at x along one feature, from two values of f.

    f: (N, features) -> (N,);  x: (1, features);  feature: int;  step: float > 0.
    Returns one number.
    """
    ### BEGIN SOLUTION
    nudge = torch.zeros_like(x)
    nudge[0, feature] = step
    return ((f(x + nudge) - f(x - nudge)) / (2 * step))[0]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.1", finite_difference)

# %% [markdown]
# **Predict.** According to the formula, the smaller the step, the better the estimate. But the computer carries only about sixteen digits. What will the error do as the step goes from 0.1 down to 0.000000000001?

# %%
cubic = igteach.toy(lambda x: x * x * x)
here = torch.tensor([[1.0]], dtype=torch.float64)
true_slope = igteach.gradient(cubic, here).values[0, 0]
steps = [10.0**-k for k in range(1, 13)]
two_sided = torch.cat([(cubic(here + h) - cubic(here - h)) / (2 * h) for h in steps])
one_sided = torch.cat([(cubic(here + h) - cubic(here)) / h for h in steps])
show.curves(
    steps,
    {
        "both sides": (two_sided - true_slope).abs(),
        "one side": (one_sided - true_slope).abs(),
    },
    xlabel="step",
    ylabel="error",
    logarithmic=True,
)

# %% [markdown]
# Read it from right to left. First the formula wins: each time the step shrinks tenfold, the two-sided difference gains two digits and the one-sided difference one. Then rounding wins, and the error grows again:
# at the smallest step the two values of F have about eleven of their sixteen digits in common. Subtracting cancels those, and the difference keeps four or five. The best step lies in between. A network usually computes with seven digits (float32), and there the best step is larger: a few thousandths for numbers near 1. If you want to use a smaller step than that, check in double precision: `copy.deepcopy(network).double()` at `x.double()`. If F has a kink (a sudden change of slope, as a ReLU has at 0) between the two points, autograd and the formula disagree though neither has a bug: try another point.
#
# This is why autograd is the tool, and finite differences are the check.

# %% [markdown]
# ### Exercise 4: how far the promise holds
#
# ●●○ · 8 minutes
#
# Now F is a black box: it gives you values, but no gradient. From x, go t times d. Over a short distance F follows a parabola, $F(x + t\,d) \approx F(x) + a\,t + b\,t^2$. Of this change the gradient promises the part $a\,t$. The other part, $b\,t^2$, is the error.
#
# Ask for F at x - h d, at x and at x + h d. From these three values, estimate the t above 0 at which the error is one tenth of the promise.
#
# <details><summary>Hint 1</summary>
#
# Add the values at the two outer points, and <em>a</em> drops out. Subtract them, and <em>b</em> drops out.
#
# <details><summary>Hint 2</summary>
#
# Compare magnitudes: the error is |<em>b</em>| <em>t</em>², the promise |<em>a</em>| <em>t</em>. For which <em>t</em> is the first one tenth of the second?
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-01-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trusted_step(f, x, d, h):
    """The t at which the error of the first-order promise is a tenth of the promise.

    f: (N, features) -> (N,);  x, d: (1, features);  h: float > 0.  Returns one number.
    """
    ### BEGIN SOLUTION
    ahead, here, behind = f(torch.cat([x + h * d, x, x - h * d]))
    a = (ahead - behind) / (2 * h)
    b = (ahead + behind - 2 * here) / (2 * h * h)
    return 0.1 * a.abs() / b.abs()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.4", trusted_step)

# %% [markdown] tags=["slide"]
# ## Saliency: the gradient of a real network
#
# Now the network of lesson 00, which reads handwritten digits. A picture has 64 pixels, so its gradient has 64 numbers, and they too make a picture.
# *Saliency* shows their magnitude: how far would the score move if this pixel were nudged, up or down? In these maps dark is large and white is zero. (A pixel in colour has three slopes; Simonyan et al. take the largest magnitude of the three.)
#
# In lesson 00 F was the probability of the answer. Here F is the **logit** of the class, the number that goes into the softmax. Up to the logit the network is made of linear pieces; these will explain the maps. Lesson 02 shows what the softmax adds.

# %% tags=["slide"]
model = digits.load()
data = load_digits()
pictures = data.x_test[[2, 3, 8]].to(device)
classes = model(pictures).argmax(dim=1)
slopes = igteach.gradient(igteach.logit(model), pictures, target=classes).values

show.heatmaps(
    {f"a {label}": picture[0] for label, picture in zip(classes.tolist(), pictures)},
    kind="picture",
)

# %% tags=["slide-goes-on"]
maps = {
    f"saliency / largest, {label}": slope[0].abs() / slope.abs().max()
    for label, slope in zip(classes.tolist(), slopes)
}
show.heatmaps(maps, kind="magnitude")

# %% [markdown] tags=["slide"]
# Look at the pictures, then at the maps. Where is the ink, and where are the dark squares?
#
# Some of each map lies on the digit, some does not, and neighbours in one stroke get very different values. In the map of the 7, the two darkest squares are neighbours at its foot: one holds ink, the other none. There are two reasons:
#
# 1. The map shows *possible* changes, not what is there. New ink can turn one digit into another, so empty places are salient as well.
# 2. A ReLU network is made of linear pieces. At x you stand on one of them, and the gradient is the slope of that one piece. Next door is another piece with another slope.
#    From one to the next the slope jumps, though the score does not. So the map depends on which piece x happens to lie on, and looks like noise.

# %% [markdown]
# ### Exercise 5: this digit rather than that
#
# ●●○ · 7 minutes
#
# "A 7," says the network, "or else a 1." Which pixels would move the lead of the 7 over the 1, if you nudged them? F is now a lead: the logit of one class minus the logit of another. Write its saliency yourself, with autograd.
#
# <details><summary>Hint 1</summary>
#
# Autograd has to track <code>x</code>: <code>x = x.clone().requires_grad_()</code>.
#
# <details><summary>Hint 2</summary>
#
# <code>torch.autograd.grad(number, x)</code> returns a tuple. The number may be any that was computed from <code>x</code>.
#
# <details><summary>Hint 3</summary>
#
# If a nudge raises both logits alike, the lead stays where it is. So which comes first, subtracting or dropping the sign?
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-01-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def saliency_of_lead(f, x, leader, rival):
    """How strongly one class's lead over another reacts to a nudge of each feature.

    f: (N, features) -> (N, classes), logits;  x: (1, features);  leader, rival: int.
    Returns (1, features), nowhere negative.
    """
    ### BEGIN SOLUTION
    x = x.clone().requires_grad_()
    logits = f(x)[0]
    (slope,) = torch.autograd.grad(logits[leader] - logits[rival], x)
    return slope.abs()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.5", saliency_of_lead)

# %% [markdown] tags=["slide"]
# ## A nudge almost too small to see
#
# The pictures have 17 levels of grey. We move every pixel by half a level, up or down. Which go up and which go down is our choice, so we make it a bad one.
# Start with all of them up. Then keep flipping the one pixel whose flip most lowers the agreement with the original map, until no flip lowers it any further.
#
# *Agreement* is rank correlation: 1 if both maps put the pixels in the same order, 0 if the two orders have nothing in common.
#
# F is the *probability* again, as in lesson 00. We want to report how sure the network is before and after the nudge, so the maps should explain that same number.
#
# **Predict.** The network's answer will hardly move. What will the map do?

# %% tags=["slide"]
picture = data.x_test[45:46].to(device)
label = int(model(picture).argmax())
score = igteach.probability(model)


def map_of(pictures):
    """Saliency of the digit's own probability: (N, 64)."""
    return igteach.gradient(score, pictures, target=label).values.abs().flatten(1)


def rank_correlation(maps, other):
    """Of each row of maps (N, 64) with other (64,): (N,)."""
    ranks = torch.stack([row.argsort().argsort().double() for row in [*maps, other]])
    return torch.corrcoef(ranks)[-1, :-1]


first_map = map_of(picture)[0]
signs = torch.ones(1, 64, device=device)
turn_one = 1 - 2 * torch.eye(64, device=device)
agreement = 1.0
while True:
    candidates = signs * turn_one
    maps = map_of(picture + candidates.view(64, 1, 8, 8) / 32)
    agreements = rank_correlation(maps, first_map)
    if agreements.min() >= agreement:
        break
    agreement, signs = agreements.min(), candidates[agreements.argmin()][None]
nudged = picture + signs.view(1, 1, 8, 8) / 32
second_map = map_of(nudged)[0]

print("the answer, before and after:", int(label), int(model(nudged).argmax()))
before, after = score(torch.cat([picture, nudged]))[:, label]
print("its probability, before:", show.rounded(before, 2))
print("                and after:", show.rounded(after, 2))
print("rank correlation of the two maps:", show.rounded(agreement, 1))

# %%
show.heatmaps(
    {"the picture": picture[0, 0], "the picture, nudged": nudged[0, 0]}, kind="picture"
)

# %% tags=["slide-goes-on"]
show.heatmaps(
    {
        "its saliency": first_map.view(8, 8),
        "its saliency, nudged": second_map.view(8, 8),
    },
    kind="magnitude",
)

# %% [markdown]
# The answer stays, and so does its probability; the agreement of the maps falls far below 1. Compare the darkest squares: the darkest of the first map stays dark, but others have overtaken it.
#
# Two pictures that you can hardly tell apart, one answer, two orders of importance. We searched for a bad nudge, so read this as a warning, not as an average. But an account of a *picture* should not depend on what you can hardly see in it.
#
# ## Recap
#
# From [lesson 00](00_start_here.ipynb): an attribution gave the values (0.5, -0.2, 0.4), F(x) is 0.9 and F(x') is 0.2. What is the residual?
#
# <details><summary>Answer</summary>
#
# The values add up to 0.7, and F(x) - F(x') is 0.7. The residual is 0: everything was distributed, and nothing more.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** The gradient of the score with respect to a pixel is 0. What follows?
#
# <details><summary>A. The pixel contributed nothing to the score.</summary>
#
# Not so. In F = 3 x1 + 0.1 x2 the small gradient belonged to the feature that made the whole score. Even a gradient of 0 can belong to such a feature: lesson 02 shows one.
#
# </details>
# <details><summary>B. A very small nudge of the pixel hardly moves the score.</summary>
#
# Right. That is what a gradient says, and all that it says.
#
# </details>
# <details><summary>C. The network does not use the pixel.</summary>
#
# Not so. The network may use it everywhere except on the linear piece where this picture lies.
#
# </details>

# %% [markdown]
# **Question 2.** You halve the step of a two-sided difference; rounding plays no part yet. What does its error do?
#
# <details><summary>A. It halves.</summary>
#
# That is the one-sided difference. With two sides, the first term of the error cancels.
#
# </details>
# <details><summary>B. It falls to a quarter.</summary>
#
# Right. The error goes with the square of the step. In the figure, a step ten times smaller has an error a hundred times smaller.
#
# </details>
# <details><summary>C. It stays the same.</summary>
#
# It stops falling only at very small steps, where rounding takes over.
#
# </details>

# %% [markdown]
# **Question 3.** A saliency map looks like noise. Which of these can *not* be a reason?
#
# <details><summary>A. The network is made of linear pieces with different slopes.</summary>
#
# It is a reason: the map shows the slope of one piece, and next door the slope is another.
#
# </details>
# <details><summary>B. Empty pixels are salient as well.</summary>
#
# It is a reason: new ink could change the answer.
#
# </details>
# <details><summary>C. Autograd computes gradients inexactly.</summary>
#
# Right. Autograd is exact to rounding. The noise is in the network, not in the tool.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("01")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. The gradient says how fast F changes under a small nudge. It does not say what a feature contributed.
# 2. Saliency is the magnitude of the gradient, drawn as a picture. It is exact; it looks like noise because the slope of the network jumps.
# 3. A nudge that you can hardly see can redraw the map while the answer stays.
#
# **Where it comes from.** Gradients as explanations: Baehrens et al. (2010). Saliency maps of pictures: Simonyan, Vedaldi and Zisserman (2013). Maps redrawn by invisible nudges: Ghorbani, Abid and Zou (2019).
#
# **What is next.** [Lesson 02](02_saturation.ipynb): what happens to the gradient where the network is sure of itself.
