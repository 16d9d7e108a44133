# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 06 · Axioms
#
# **The question.** Two methods explain the same score and disagree, and nobody knows the true shares. How can you tell which one to trust?
#
# **You will be able to**
# - state six axioms, and test any method against each of them with one call;
# - name, for every axiom, a method that breaks it and the example that shows it;
# - say what keeping all of them proves, and what it does not.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb) and [lesson 05](05_computing_the_integral.ipynb).
#
# **Time.** 80 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks have at most three inputs.

# %%
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import permutations

import torch

import igteach
from igteach import axioms, captum_methods, show
from igteach.exercises import check
from igteach.axioms import cases

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## One function, two explanations
#
# Two small ReLU networks, from Sundararajan, Taly and Yan (2017):
#
# $$f = \mathrm{ReLU}\bigl(\mathrm{ReLU}(x_1) - 1 - \mathrm{ReLU}(x_2)\bigr), \qquad g = \mathrm{ReLU}\bigl(\mathrm{ReLU}(x_1 - 1) - \mathrm{ReLU}(x_2)\bigr).$$
#
# The 1 is subtracted in a different place. Does that change the function? Try ten thousand points.

# %% tags=["slide-goes-on"]
f, g = deepcopy(cases.PAPER_F).to(device), deepcopy(cases.PAPER_G).to(device)
seeded = torch.Generator().manual_seed(0)
points = (torch.randn(10_000, 2, generator=seeded) * 3).to(device)

apart = (f(points) - g(points)).abs().max()
print(f"the largest difference between f and g: {apart:.4f}")

# %% [markdown] tags=["slide"]
# They are one function, written in two ways. DeepLIFT is a well-known method (Shrikumar et al. 2017): it compares each unit at x with the same unit at the baseline, and passes the differences back through the layers. `igteach.captum_methods` borrows it from the library Captum.
#
# **Predict.** We explain f and g at x = (3, 1), against (0, 0). Will an explanation of f also be an explanation of g?

# %% tags=["slide"]
x = torch.tensor([[3.0, 1.0]], device=device)


def in_64_steps(f, x):
    return igteach.integrated_gradients(f, x, steps=64)


for name, method in {
    "gradient": igteach.gradient,
    "Integrated Gradients": in_64_steps,
    "DeepLIFT": captum_methods.deep_lift,
    "LRP": captum_methods.lrp,
    "guided backprop": captum_methods.guided_backprop,
}.items():
    of_f = show.rounded(method(f, x).values[0])
    of_g = show.rounded(method(g, x).values[0])
    print(f"{name:20s}  f: {of_f}   g: {of_g}")

# %% [markdown] tags=["slide-goes-on"]
# For DeepLIFT, no: it gives f and g different shares, and both sets add up. Which one is "the" share of x1? The question has no answer, because no input tells f from g.
# DeepLIFT explains how the function was written down.

# %% [markdown]
# You can do the computation by hand. DeepLIFT gives every ReLU one slope: the change of its output between x' and x, over the change of its input.


# %%
def slope(start, end):
    """The slope of a ReLU whose input went from start to end."""
    return (max(end, 0) - max(start, 0)) / (end - start)


print("f:", [3 * slope(0, 3) * slope(-1, 1), -1 * slope(0, 1) * slope(-1, 1)])
print("g:", [3 * slope(-1, 2) * slope(0, 1), -1 * slope(0, 1) * slope(0, 1)])

# %% [markdown]
# Derivatives obey the chain rule: multiply the slopes of the layers, and you have the slope of the whole, however you cut it into layers. A long step has a slope too, (F(b) - F(a)) / (b - a). As long as each unit has one input, such slopes multiply as well. If a unit has several inputs, the product need not be the slope of the whole: how the unit's output changes with one input also depends on how the others moved. Divide the same function into layers at other places, and the product may change.
#
# Integrated Gradients takes derivatives of the *whole* function, and never asks how it was made. It walks straight from (0, 0) to (3, 1) and adds up what it meets.

# %%
across = torch.linspace(-0.5, 3.5, 81, device=device)
up = torch.linspace(-0.5, 1.5, 81, device=device)
grid = torch.cartesian_prod(up, across).flip(1)
straight = torch.linspace(0, 1, 21, device=device)[:, None] * x
show.plane(f(grid).view(81, 81), across=(-0.5, 3.5), up=(-0.5, 1.5), path=straight)

# %% [markdown]
# Nothing happens on the first half of the path; on the second half the gradient is (1, -1). Half of 3 times 1, and half of 1 times -1: these are the shares printed above.

# %% [markdown] tags=["slide-goes-on"]
# We caught DeepLIFT without knowing the true shares. All we asked was that a method should not contradict itself:
#
# > **Implementation invariance.** If F(z) = G(z) for all inputs z, then a method gives F and G the same shares.
#
# A property that you demand of *any* explanation, before you have seen one, is called an **axiom**. One example is enough to show that a method breaks it.

# %% [markdown]
# ## One name, three rules
#
# In the paper, LRP breaks this axiom. In the list above it does not. Both are right, because LRP (Bach et al. 2015) is a family of rules. All of them pass F(x) back, layer by layer: each unit divides what it gets among its inputs, in proportion to their contributions, value times weight. They differ in what counts as a contribution.
#
# - Captum's default counts the bias as well, and what the bias gets is lost. On a ReLU network this comes to gradient times x. So f and g get the same shares, and the shares do not add up.
# - Leave the bias out, and nothing is lost. But now it matters that f has its 1 in the second layer and g in the first.
# - Count positive contributions only. This one is caught on another pair: min(x1, x2), written as x1 - ReLU(x1 - x2) or as x2 - ReLU(x2 - x1), at (1, 3).
#
# The last two by hand:


# %%
def divided(relevance, contributions):
    """What each input of a unit gets: in proportion, and nothing for the bias."""
    return [relevance * each / sum(contributions) for each in contributions]


print("no bias, f, to x1 and x2:", divided(1, [3, -1]))
print("no bias, g, to x1 and x2:", divided(1, [2, -1]))
print("positive only, to x1 and ReLU(x1 - x2):", divided(1, [1, 0]))
print("positive only, to x2 and ReLU(x2 - x1):", divided(1, [3, max(-2, 0)]))

# %% [markdown]
# Without the bias, LRP agrees with DeepLIFT here: that is the paper's example. With positive contributions only, the feature that is written first gets everything. Two of three rules see how a function is written. Ask which rule somebody means by "LRP".

# %% [markdown]
# ### Exercise 1: how far apart are two explanations?
#
# ●●○ · 8 minutes
#
# Measure a gap that is 0 if a method gives two functions the same shares: the sum of |differences| over the sum of |shares|. Each function has its own sum of |shares|; take the larger, so that it does not matter which function comes first.
#
# <details><summary>Hint 1</summary>
#
# <code>method(f, x, baseline).values</code> are the shares, with the shape of x.
#
# <details><summary>Hint 2</summary>
#
# Absolute values first, then the sum: <code>(one - other).abs().sum()</code>. <code>torch.maximum</code> compares two tensors.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-06-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def invariance_gap(method, f, g, x, baseline):
    """How far apart the method's shares in f and in g are, relative to their magnitude.

    method(f, x, baseline).values: (1, features);  f, g: (N, features) -> (N,);
    x, baseline: (1, features).
    Returns one number, at least 0.
    """
    ### BEGIN SOLUTION
    one, other = method(f, x, baseline).values, method(g, x, baseline).values
    return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-06-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("06.1", invariance_gap)

# %% [markdown]
# `igteach.axioms` holds this check and five more. Each takes a method and tries it on small networks about which the truth is known, this pair among them. It answers with a verdict and, if the axiom is broken, an example. In the examples the features are called x, y, z, and counted from 0. A check tolerates 5% where an integral is computed in steps, and next to nothing elsewhere.

# %%
of_ig = axioms.implementation_invariance(igteach.integrated_gradients)
of_guided = axioms.implementation_invariance(captum_methods.guided_backprop)
print("Integrated Gradients:", of_ig)
print("guided backprop:     ", of_guided)

# %% [markdown]
# Guided backprop passed on the pair f and g above, and is caught on another pair. It is the gradient, except that each ReLU also stops whatever is negative on its way back (Springenberg et al. 2014). So it, too, sees where the ReLUs are.

# %% [markdown] tags=["slide"]
# ## Do the shares add up?
#
# You know this one from lesson 00:
#
# > **Completeness.** The shares add up to what F gained over the baseline:
# > $\sum_i \varphi_i = F(x) - F(x').$

# %% [markdown]
# **Predict.** Occlusion takes one feature away and sees how far F falls. Is there a function on which *all* its shares are 0, although F went from 0 to 1?

# %%
print("occlusion:       ", axioms.completeness(captum_methods.occlusion))
print("gradient x input:", axioms.completeness(igteach.gradient_times_input))

# %% [markdown]
# There is: the alarm with two sensors. Take one away, and the other still keeps F up. Gradient x input fails on the saturated unit of lesson 02.

# %% [markdown]
# ## Does the right feature get the share?
#
# Completeness alone is easy. Divide F(x) - F(x') by the number of features, and give each the same. In code, a method is a function of f, x, baseline and target that returns an `Attribution`. Here is the method of equal shares, and a small helper for building others.


# %%
def as_method(shares):
    """A method from shares(f, x, baseline), which returns values of the shape of x."""

    def method(f, x, baseline=None, target=None):
        answer = igteach.gradient_times_input(f, x, baseline, target)
        return replace(answer, values=shares(f, x, baseline))

    return method


def equal_shares(f, x, baseline):
    return (f(x) - f(baseline)).view(-1, 1).expand(x.shape) / x.shape[1]


same_for_all = as_method(equal_shares)

print(axioms.completeness(same_for_all))

# %% [markdown]
# **Predict.** This method keeps completeness and implementation invariance, and knows nothing. What would you demand to make it fail?

# %% [markdown] tags=["slide-goes-on"]
# Sensitivity has two halves. Lesson 02 had the first:
#
# > **Sensitivity (a).** If x and x' differ in one feature only, and F(x) is not F(x'), then that feature's share is not 0.
# >
# > **Sensitivity (b).** If F does not depend on a feature, then that feature's share is 0.

# %%
print("(a), gradient:    ", axioms.sensitivity_a(igteach.gradient))
print("(b), same for all:", axioms.sensitivity_b(same_for_all))
print("(b), DeepLIFT:    ", axioms.sensitivity_b(captum_methods.deep_lift))

# %% [markdown]
# So you would demand that a feature without effect gets nothing: sensitivity (b) catches the equal shares. Such a feature is called a **dummy**. The third line is our pair once more, with a term ReLU(z) added: f - g is 0 everywhere, so only ReLU(z) is left. The network still contains x1 and no longer depends on it. DeepLIFT follows the wires, and gives x1 a share.
#
# A star says that the method was not tried on every function. *Not put to* names a function that was left out because the method has no rule for a part of it, here for a product of two features.

# %% [markdown] tags=["slide"]
# ## Do explanations add like functions?
#
# A sum of two models is explained by the sum of their explanations:
#
# > **Linearity.** If H = aF + bG, then $\varphi_i(H) = a\,\varphi_i(F) + b\,\varphi_i(G).$

# %% [markdown]
# Lesson 04 showed what is lost by drawing |IG|. Here is one more loss.


# %%
def absolute_shares(f, x, baseline):
    return igteach.integrated_gradients(f, x, baseline, steps=64).values.abs()


sizes = as_method(absolute_shares)

print("|IG|:           ", axioms.linearity(sizes))
print("guided backprop:", axioms.linearity(captum_methods.guided_backprop))

# %% [markdown]
# Two models that pull in opposite directions cancel; absolute values do not. Guided backprop fails because the minus in front of g flips the signs on the way back, so that the ReLUs of g do not stop the same parts as in g alone.
#
# ## Are equals treated equally?
#
# Here is a method that needs no gradients at all. Start at the baseline. Move the features to their values **one after another**, and give each the change of F while it moves.


# %%
def one_by_one(f, x, baseline, order=None):
    """The change of F while each feature moves, from first to last or in an order.

    The result has the shape of x.
    """
    here, shares = baseline.clone(), torch.zeros_like(x)
    for i in order or range(x.shape[1]):
        before = f(here)
        here[:, i] = x[:, i]
        shares[:, i] = (f(here) - before).flatten()
    return shares


product = igteach.toy(lambda x1, x2: x1 * x2)
ones, zeros = torch.ones(1, 2, device=device), torch.zeros(1, 2, device=device)

forwards = one_by_one(product, ones, zeros)
backwards = one_by_one(product, ones, zeros, order=(1, 0))
print("first x1, then x2:", show.rounded(forwards))
print("first x2, then x1:", show.rounded(backwards))

# %% [markdown]
# This is a path method, like Integrated Gradients; its path runs along the edges of a box.

# %%
ticks = torch.linspace(-0.2, 1.8, 41, device=device)
plane = product(torch.cartesian_prod(ticks, ticks).flip(1)).view(41, 41)
edges = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], device=device)
show.plane(plane, across=(-0.2, 1.8), up=(-0.2, 1.8), path=edges)

# %% [markdown]
# The product treats x1 and x2 alike, and both went from 0 to 1. Yet the one that moved last gets everything.

# %% [markdown] tags=["slide-goes-on"]
# > **Symmetry.** If F stays the same when features i and j trade places, and $x_i = x_j$ and $x'_i = x'_j$, then they get the same share.

# %%
for axiom, put in axioms.AXIOMS.items():
    print(f"one by one, {axiom}: {put(as_method(one_by_one))}")

# %% [markdown]
# Take a path that is chosen without looking at F and on which no feature turns back. By the identity of lesson 04 it keeps every axiom except, perhaps, symmetry. (Why no turning back? A feature with the same value in x and x' could leave that value, return to it, and get a share on the way. It could even take the whole share of the only feature that differs, and that would break sensitivity (a).) Only symmetry asks *which* path.
#
# There are two ways out. One is the straight path, on which nobody is first. The other is to try every order and average: this gives the **Shapley values** (Shapley 1953).

# %% [markdown]
# ### Exercise 3: every order
#
# ●●● · 12 minutes
#
# Average the one-by-one shares over all orders of the features. Three features have six orders.
#
# <details><summary>Hint 1</summary>
#
# <code>permutations(range(n))</code> goes through all orders. You may copy <code>one_by_one</code> from above into your function.
#
# <details><summary>Hint 2</summary>
#
# Begin every order at the baseline: <code>here = baseline.clone()</code> belongs inside the loop over orders.
#
# <details><summary>Hint 3</summary>
#
# Add up what a feature gets over all orders, and divide by the number of orders, not of features.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-06-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shapley(f, x, baseline):
    """The change of F while each feature moves, averaged over all orders.

    f: (N, features) -> (N,);  x, baseline: (1, features).  Returns (1, features).
    """
    ### BEGIN SOLUTION
    orders = list(permutations(range(x.shape[1])))
    shares = torch.zeros_like(x)
    for order in orders:
        here = baseline.clone()
        for i in order:
            before = f(here)[0]
            here[0, i] = x[0, i]
            shares[0, i] += f(here)[0] - before
    return shares / len(orders)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-06-3", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("06.3", shapley)

# %% [markdown]
# Ten features have 3,628,800 orders, so in practice some of them are drawn at random. That has a price, which the next table shows.

# %% [markdown] tags=["slide"]
# ## The table
#
# One row is new. *Expected gradients* (Erion et al. 2021) are Integrated Gradients by sampling: every point of the path is drawn at random, and so is the baseline, if there are several. The axioms speak of a single baseline, so here it gets a single one.
#
# **Predict.** Six axioms, ten methods. Which methods keep all six?


# %% tags=["slide"]
def expected_gradients(f, x, baseline=None, target=None, samples=64, seed=0):
    return igteach.expected_gradients(
        f, x, baseline, target, samples=samples, seed=seed
    )


table = axioms.axiom_table(
    {
        "gradient": igteach.gradient,
        "gradient x input": igteach.gradient_times_input,
        "Integrated Gradients": igteach.integrated_gradients,
        "expected gradients (64 draws)": expected_gradients,
        "occlusion": captum_methods.occlusion,
        "Shapley (all orders)": igteach.shapley_values,
        "Shapley (25 drawn orders)": captum_methods.shapley_sampling,
        "DeepLIFT": captum_methods.deep_lift,
        "LRP": captum_methods.lrp,
        "guided backprop": captum_methods.guided_backprop,
    }
)
show.axiom_table(table)

# %%
spotless = [
    name
    for name, row in table.results.items()
    if all(result.holds for result in row.values())
]
print("keep all six:", ", ".join(spotless))

# %% [markdown]
# Nothing in this table is quoted; it was computed just now. Read it in groups of rows:
#
# - **What looks at one point** (gradient, gradient x input, and LRP with Captum's default rule) need not add up, and misses what has saturated.
# - **What takes away one feature at a time** (occlusion) finds nothing where either of two features alone is enough.
# - **What goes through the layers** (DeepLIFT, guided backprop) sees the wiring, so it breaks invariance and gives shares to dummies.
# - **What draws at random** misses at random. Two crosses, for completeness and for symmetry, are sampling error. In the limit the axiom holds: more draws make the gap smaller, as the next cell shows for completeness.
# - **What averages over the straight path, or over all orders,** keeps all six. Of our ten methods two do that. They give different shares; lesson 11 compares them.


# %%
def median_gap(samples):
    """The median gap of completeness, over 15 seeds."""
    gaps = []
    for seed in range(15):
        method = partial(expected_gradients, samples=samples, seed=seed)
        gaps.append(axioms.completeness(method).gap)
    return sorted(gaps)[7]


print("expected gradients, gap with   64 draws:", show.rounded(median_gap(64), 1))
print("                    gap with 4096 draws:", show.rounded(median_gap(4096), 1))

# %% [markdown]
# The sampling error does shrink.

# %% [markdown] tags=["slide"]
# ## Why Integrated Gradients keeps all six
#
# A table of examples cannot prove that an axiom is kept. But each axiom has a one-line reason:
#
# - **Completeness**: the fundamental theorem of calculus and the chain rule, as in lesson 04.
# - **Sensitivity (a)**: every other feature has the factor x - x' = 0, so by completeness the one that differs gets all of F(x) - F(x').
# - **Sensitivity (b)**: if F does not depend on a feature, its partial derivative is 0 all along the path, and so is the average.
# - **Implementation invariance**: only gradients of F enter, and equal functions have equal gradients.
# - **Linearity**: the gradient of aF + bG is a times that of F plus b times that of G, and an average passes that on.
# - **Symmetry**: on the straight path, two features with equal starts and equal ends are equal at every alpha. There F, which treats them alike, has the same slope along both.

# %% [markdown]
# Each line speaks of gradients on the path, and so assumes that they exist. We come back to that after the exercise.
#
# And all of it is about F. No axiom says that a feature with a share causes anything outside the network.

# %% [markdown]
# ### Exercise 4: the detective
#
# ●●○ · 8 minutes
#
# The check hands you methods that someone has tampered with. Each breaks exactly one axiom. Find out which, and return its name.
#
# <details><summary>Hint 1</summary>
#
# <code>axioms.AXIOMS</code> is a dictionary: name -> check. A check is a function of a method.
#
# <details><summary>Hint 2</summary>
#
# The result of a check has <code>.holds</code>, which is True or False.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-06-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def broken_axiom(method):
    """The name of the one axiom that the method breaks, as in axioms.AXIOMS.

    method(f, x, baseline, target) -> Attribution.  Returns a text.
    """
    ### BEGIN SOLUTION
    for name, put in axioms.AXIOMS.items():
        if not put(method).holds:
            return name
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-06-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("06.4", broken_axiom)

# %% [markdown]
# ## Small print: a kink along the path
#
# The table says that Integrated Gradients keeps implementation invariance and symmetry. Here is an example where it breaks both.
#
# min(x1, x2) can be written as x1 - ReLU(x1 - x2), or x2 - ReLU(x2 - x1). Explain it at (1, 1), against (0, 0).

# %%
x1_first = deepcopy(cases.MIN_X_FIRST).to(device)
x2_first = deepcopy(cases.MIN_Y_FIRST).to(device)
ig = igteach.integrated_gradients

print(axioms.implementation_invariance(ig, x1_first, x2_first, ones))
print(axioms.symmetry(ig, x1_first, ones, pair=(0, 1)))

# %% [markdown]
# Was the table wrong, or the reasons? Look at the path. From (0, 0) to (1, 1) the two features are equal *all along it*, and there min has a kink. At no point of this path does F have a gradient. Autograd must say something, so it says that ReLU has slope 0 at 0. Which feature this favours depends on how the function is written. (Lesson 02's alarm, max(x1, x2) with both sensors on, has a kink all along its path, too.)
#
# Move x2 a little to either side of the tie, and watch.

# %%
second = torch.linspace(0.5, 1.5, 400, device=device)
beside = torch.stack([torch.ones_like(second), second], dim=1)
shares = [ig(network, beside).values for network in (x1_first, x2_first)]
show.curves(
    second,
    {"share of x1": shares[0][:, 0], "share of x2": shares[0][:, 1]},
    xlabel="x2, where x1 = 1",
    ylabel="share in min(x1, x2)",
)

# %%
apart = (shares[0] - shares[1]).abs().max()
print(f"off the tie, the shares of both versions differ by at most {apart:.4f}")

# %% [markdown]
# Off the tie all is well: the smaller feature takes everything. At the tie the shares jump: from the left they tend to one pair of values, from the right to another.
#
# So the axioms come with a condition: **F must have a gradient at almost every point of the path.** A path may *cross* kinks, and every ReLU network makes it do so. It must not run *along* one. You will meet such ties where features are equal in x and equal in x' by construction: two pixels of one plain area, say, which max pooling compares.
#
# ## Small print: is it the only one?
#
# The paper goes further: Integrated Gradients is said to be the *only* path method that preserves symmetry. Symmetry speaks of features that equal *each other*, in x and also in x'. But it does not ask how *unequal* features move. So let them move differently: the farther a feature has to go, the more slowly it starts.


# %%
def late_starters(f, x, baseline):
    """The integral of gradient times velocity along a bent path: (1, features)."""
    power = 1 + (x - baseline).abs()
    alphas = ((torch.arange(512, device=x.device) + 0.5) / 512)[:, None]
    points = baseline + alphas**power * (x - baseline)
    velocities = power * alphas ** (power - 1) * (x - baseline)
    return (igteach.gradient(f, points).values * velocities).mean(dim=0, keepdim=True)


bent = as_method(late_starters)
print("keeps all six:", all(put(bent).holds for put in axioms.AXIOMS.values()))

away = torch.tensor([[1.0, 3.0]], device=device)
straight_shares = ig(product, away).values
bent_shares = late_starters(product, away, zeros)
print("x1 x2 at (1, 3), Integrated Gradients:", show.rounded(straight_shares, 2))
print("x1 x2 at (1, 3), late starters:       ", show.rounded(bent_shares, 2))

# %% [markdown]
# Features that are equal in x and in x' have equally far to go, so they move together, and symmetry is kept. All six axioms, and different shares. What would you hold against it?

# %%
in_centimetres = igteach.toy(lambda x1, x2: x1 * x2 / 100)
away_in_centimetres = torch.tensor([[1.0, 300.0]], device=device)
for name, method in {"Integrated Gradients": ig, "late starters": bent}.items():
    before = method(product, away, zeros).values
    after = method(in_centimetres, away_in_centimetres, zeros).values
    print(f"{name}, x2 in metres:     ", show.rounded(before))
    print(f"{name}, x2 in centimetres:", show.rounded(after))

# %% [markdown]
# It depends on the units. A further axiom, that a change of units must not change the shares, rules it out. So uniqueness depends on the list of axioms, and the six are not enough. Lerma and Lucas (2021) ask when symmetry singles out the straight path.
#
# Uniqueness depends on the functions as well. The paper also says that only path methods, and averages of them, can keep completeness, linearity, sensitivity (b) and implementation invariance. That proof is borrowed from the theory of cost sharing (Friedman 2004), where F is smooth and never falls. A network has kinks, and it falls where it likes. Lundstrom, Huang and Razaviyayn (2022) point this out, and prove the claim with one more axiom: if F never falls as any feature moves from x' towards x, no share is negative.
#
# None of this says that Integrated Gradients is wrong. It says that "the only method that ..." is a claim to read with its conditions.

# %% [markdown]
# ### Exercise 5: an axiom of your own
#
# ●●○ · 8 minutes
#
# Here is a demand that this lesson has not made: the order in which somebody wrote down the features must not matter. Put the features of x and x' in a new order. F expects the old order. So explain a function G that takes the features in the new order and returns what F returns for the same features in the old order. Each feature should keep its share. Measure how far a method is from that: the sum of |differences|, feature by feature, over the sum of |shares| in the old order.
#
# <details><summary>Hint 1</summary>
#
# <code>x[:, order]</code> is x in the new order. F knows only the old one, so the method needs another function: one that puts the features back before it asks F.
#
# <details><summary>Hint 2</summary>
#
# What undoes an order? With order (1, 2, 0) the features b, c, a stand where a, b, c stood. To get a back to the front you need (2, 0, 1).
#
# <details><summary>Hint 3</summary>
#
# <code>order.argsort()</code> is the order that undoes it. The new shares come in the new order, too.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-06-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def order_gap(method, f, x, baseline, order):
    """How far the method's shares move if the features come in another order.

    method(f, x, baseline).values: (1, features);  f: (N, features) -> (N,);
    x, baseline: (1, features);  order: (features,), so that the new x is x[:, order].
    Returns one number, at least 0.
    """
    ### BEGIN SOLUTION
    back = order.argsort()

    def reordered(z):
        return f(z[:, back])

    before = method(f, x, baseline).values
    after = method(reordered, x[:, order], baseline[:, order]).values[:, back]
    return (after - before).abs().sum() / before.abs().sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-06-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("06.5", order_gap)

# %% [markdown]
# Integrated Gradients passes this test. Of the methods of this lesson that draw nothing at random, one fails it: which?
#
# <details><summary>Answer</summary>
#
# <code>one_by_one</code>. The feature that is last in one order comes earlier in another.
#
# </details>
#
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): a completeness test on a network tolerates 5%. Which bugs in the gallery pass it, and which test finds them?
#
# <details><summary>Answer</summary>
#
# Ben's and Chloe's, whose weights do not quite add up to 1: they miss by no more than the 5% that is allowed for the error of the rule. And Fred's, whose shares are right but sit on the wrong pixels. A linear function finds all three, if you compare share by share: there you know every one.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A method passes all six checks of this lesson. What is proved?
#
# <details><summary>A. Its shares are right.</summary>
#
# Two methods in the table passed, and they give different shares. Axioms rule methods out; they do not choose one for you.
#
# </details>
# <details><summary>B. It was not caught on these functions.</summary>
#
# Right. One counterexample proves that an axiom is broken; no number of examples proves that it is kept. Guided backprop passed on the first pair of this lesson.
#
# </details>
# <details><summary>C. It keeps the six axioms.</summary>
#
# An axiom speaks of all functions, and the checks tried some. A proof for all takes mathematics.
#
# </details>

# %% [markdown]
# **Question 2.** x and x' differ in one feature only. Does completeness alone make sure that this feature gets F(x) - F(x')?
#
# <details><summary>A. Only if features that did not move get nothing.</summary>
#
# Right. Integrated Gradients makes sure of it: such a feature's factor x - x' is 0.
#
# </details>
# <details><summary>B. Yes: there is nobody else to give it to.</summary>
#
# There is. Completeness fixes the sum, not who gets it: a method may give a share to a feature that did not move. One of the tampered methods in exercise 4 does.
#
# </details>

# %% [markdown]
# **Question 3.** On a linear F your shares add up. On a network they add up to 60% of F(x) - F(x'), with 50 steps, with 500 and with 5,000. Where is the other 40%?
#
# <details><summary>A. Lost at kinks that the path crosses.</summary>
#
# A kink across the path costs accuracy at a given number of steps, and less with more of them. This sum does not move.
#
# </details>
# <details><summary>B. The weights of the rule add up to 0.6.</summary>
#
# Then the linear F would have come to 60%, too.
#
# </details>
# <details><summary>C. Where no gradient sees it.</summary>
#
# Right. Completeness needs an F that does not jump, and gradients that reach every part of it. Take F = 0.6 x plus a step of height 0.4 somewhere between 0 and 1. Its slope is 0.6 wherever it has one, and nothing of the step enters the sum. A branch of a network behind a `detach()` looks just the same.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("06")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. An axiom is a demand that you can put to any method without knowing the true shares. One counterexample is enough.
# 2. Gradients miss what has saturated, methods that go layer by layer may explain how a function is written, and every path method is complete; symmetry asks for a path on which nobody is first.
# 3. The axioms need a gradient almost everywhere along the path, and they do not single out one method without further conditions.
#
# **Where it comes from.** The axioms and the pair f, g: Sundararajan, Taly and Yan (2017). DeepLIFT: Shrikumar et al. (2017). LRP: Bach et al. (2015). Guided backprop: Springenberg et al. (2014). Occlusion: Zeiler and Fergus (2014). Orders: Shapley (1953), Lundberg and Lee (2017). Expected gradients: Erion et al. (2021). Uniqueness: Friedman (2004), Lerma and Lucas (2021), Lundstrom, Huang and Razaviyayn (2022). The library: Captum, Kokhlikyan et al. (2020).
#
# **What is next.** [Lesson 07](07_baselines.ipynb): every axiom speaks of a baseline, and none says which.
