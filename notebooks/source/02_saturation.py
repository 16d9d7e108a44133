# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 02 · Saturation
#
# **The question.** A feature carries the whole score, and its gradient is zero. How can that be, and what does it hide?
#
# **You will be able to**
# - show with one variable that the gradient can miss what made the score;
# - say when "take the feature away and look" fails too;
# - measure steepness without units, and compare two networks that are equally accurate and equally sure, though one has next to no gradient.
#
# **You need** [lesson 01](01_naive_gradients.ipynb).
#
# **Time.** 55 minutes, exercises included.
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

# %% [markdown] tags=["slide"]
# ## One variable is enough
#
# Here is a network with one input and one unit: F(x) = 1 - ReLU(1 - x). It rises to 1 and stays there. Our input is x = 2; with no input, at x' = 0, the score is 0.

# %% tags=["slide-goes-on"]
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
x = torch.tensor([[2.0]], device=device)

print("F(2) =", show.rounded(f(x)), "  F(0) =", show.rounded(f(0 * x)))

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** The score went from 0 to 1, and only one feature can have done it. What does the gradient at x = 2 say?

# %% tags=["slide"]
print("gradient at 2:", show.rounded(igteach.gradient(f, x).values))

# %% tags=["slide-goes-on"]
line = torch.linspace(0, 2, 81)[:, None]
slopes = igteach.gradient(f, line).values[:, 0]
show.curves(
    line[:, 0],
    {"F(x)": f(line), "gradient": slopes},
    xlabel="x",
    ylabel="F and its gradient",
)

# %% [markdown] tags=["slide"]
# The gradient is zero. The only feature gets no credit for a score it made alone.
#
# We ask this much of an attribution: *if input and baseline differ in one feature only, and F differs, that feature's share is not zero.*
# Sundararajan, Taly and Yan (2017) call it **sensitivity**. The gradient breaks it, because it asks about a nudge at the point where you stand. At x = 2 a nudge no longer does anything; the work was done on the path from x' to x.

# %% [markdown]
# How much is left unexplained? Give every feature its slope times its displacement, $x_i - x'_i$, and compare the sum with the change of F:
#
# $$\text{unexplained} \;=\; F(x) - F(x') \;-\; \sum_i \frac{\partial F}{\partial x_i}(x)\,(x_i - x'_i).$$
#
# At x = 2 this is 1 - 0 - 0: everything is unexplained. This is the residual of lesson 00 with the opposite sign: a positive number means that the shares fall short.

# %% [markdown]
# ### Exercise 1: what the gradient leaves out
#
# ●○○ · 5 minutes
#
# Write the formula above, for any f, x and baseline. Keep the sign: it is negative if the slopes promise too much.
#
# <details><summary>Hint 1</summary>
#
# <code>igteach.gradient(f, x).values</code> holds the slopes at x, in the shape of x.
#
# <details><summary>Hint 2</summary>
#
# <code>f</code> returns one number per row; with one row, <code>f(x)[0]</code> is the number.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-02-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unexplained(f, x, baseline):
    """What gradient times (x - x') leaves out of F(x) - F(x'), with its sign.

    f: (N, features) -> (N,);  x, baseline: (1, features).  Returns one number.
    """
    ### BEGIN SOLUTION
    explained = (igteach.gradient(f, x).values * (x - baseline)).sum()
    return (f(x) - f(baseline))[0] - explained
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.1", unexplained)

# %% [markdown]
# ## A sure network is a saturated network
#
# Nobody builds such a unit, you might say. But every classifier ends in one. A sigmoid, or a softmax, flattens out as the network grows sure, and sure answers are the ones people ask about.
#
# The network here also reads digits. It has smooth units (tanh) where the one of lesson 00 has ReLUs.
# F is the probability of its answer. Walk from the black picture to a real digit, and watch F and the magnitude of its gradient. A number alpha from 0 to 1 says how far along we are: it is the fraction of the ink that is turned on.

# %% tags=["slide"]
model = digits.load_plain()
data = load_digits()
score = igteach.probability(model)

picture = data.x_test[3:4].to(device)
label = int(model(picture).argmax())
alphas = torch.linspace(0, 1, 101, device=device)
walk = alphas.view(-1, 1, 1, 1) * picture
probabilities = score(walk)[:, label]
sizes = igteach.gradient(score, walk, target=label).values.flatten(1).norm(dim=1)

show.curves(
    alphas,
    {
        "probability": probabilities,
        "magnitude of its gradient / largest": sizes / sizes.max(),
    },
    xlabel="alpha, from the black picture to the digit",
    ylabel="probability, and its gradient",
)

# %% tags=["slide-goes-on"]
left = sizes[-1] / sizes.max()
print("probability at the digit:", show.rounded(probabilities[-1], 2))
print("gradient at the digit, over the largest on the path:", show.rounded(left, 2))

# %% [markdown] tags=["slide-goes-on"]
# The probability rises early on the path, and there the gradient is large. At the digit itself the gradient has fallen to a small fraction of that. A saliency map is drawn *at the digit*: after the work is done.

# %% [markdown] tags=["slide"]
# ## Then take the feature away
#
# Why use slopes at all? Replace one feature by its baseline and see how far the score falls. This is **occlusion** (Zeiler and Fergus 2014):
#
# $$\text{share}_i \;=\; F(x) - F(x \text{ with } x_i \text{ replaced by } x'_i).$$
#
# On our one-variable network it is right: take x away, and the score falls from 1 to 0.

# %% [markdown]
# ### Exercise 2: occlusion
#
# ●●○ · 8 minutes
#
# Write the formula above, for every feature of one example.
#
# <details><summary>Hint 1</summary>
#
# Work on a copy: <code>changed = x.clone()</code>. A fresh copy for each feature.
#
# <details><summary>Hint 2</summary>
#
# <code>changed[0, i] = baseline[0, i]</code> takes feature i away.
#
# <details><summary>Hint 3</summary>
#
# Collect <code>f(x) - f(changed)</code> for all i; <code>torch.stack</code> and <code>reshape</code> make it the shape of x.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-02-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def occlusion(f, x, baseline):
    """How far the score falls when a feature is replaced by its baseline, each in turn.

    f: (N, features) -> (N,);  x, baseline: (1, features).  Returns (1, features).
    """
    ### BEGIN SOLUTION
    falls = []
    for i in range(x.shape[1]):
        changed = x.clone()
        changed[0, i] = baseline[0, i]
        falls.append(f(x) - f(changed))
    return torch.stack(falls).reshape(x.shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("02.2", occlusion)

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** F = max(x1, x2): an alarm with two sensors. Both are on, x = (1, 1), and either would do. What does occlusion give to each?

# %% tags=["slide"]
alarm = igteach.toy(lambda x1, x2: max(x1, x2))
both = torch.tensor([[1.0, 1.0]], device=device)

for i in range(2):
    without = both.clone()
    without[0, i] = 0
    fall = alarm(both) - alarm(without)
    print(f"without sensor {i + 1} the alarm falls by", show.rounded(fall))
print("without both it falls by     ", show.rounded(alarm(both) - alarm(0 * both)))

# %% [markdown] tags=["slide-goes-on"]
# Either sensor can go, so each gets nothing; yet the two of them made the score. Where one feature can stand in for another, as the pixels of a stroke do, taking away one at a time finds no one responsible. The gradient is no help either. At (1, 1) max has a kink and no gradient, so take another alarm that either sensor sets off, 1 - ReLU(1 - x1 - x2): its gradient there is zero.

# %% [markdown]
# Both methods ask their question at the end of the path: the gradient looks just around x, and occlusion steps back from x along one axis at a time. Neither looks at the path from x' to x.
#
# ## Gradients can be made to vanish
#
# So far, gradients were small by accident. They can also be made small on purpose. The network above was trained as usual; call it plain. It has a twin of the same architecture, called flat. Its loss had one more term, which kept it from being steep at the training digits.
#
# To compare them fairly we need a measure without units. Multiply F by 10, and the gradient is ten times as large; measure ink in other units, and it changes again. Neither of these changes affects the following ratio, as long as all features share one unit, as pixels do. (In a table, first divide each column by its standard deviation.)
#
# $$\frac{\lVert \nabla F(x) \rVert \; \lVert x - x' \rVert}{\lvert F(x) - F(x') \rvert}.$$
#
# It compares how steep F is at x with how far F climbed over the whole distance. For a linear F, the climb is the inner product of the gradient and d = x - x', and an inner product is at most the product of the norms (Cauchy-Schwarz):
#
# $$\lvert \langle \nabla F, d \rangle \rvert \;\le\; \lVert \nabla F \rVert \; \lVert d \rVert .$$
#
# So for a linear F the ratio is 1 or more. Where it is below 1, F must have been steeper somewhere on the path than it is at x, or it could not have climbed so far.
#
# The extra term in flat's loss was this ratio, for two choices of F: the logit of the right class, and the log odds of that class, log(P / (1 - P)). Why this ratio, and not just the norm of the gradient? A network can lower the norm by making F smaller everywhere; relative to F, it is as steep as before.
#
# What does a small gradient promise? The same inequality, with a small step d, says that no small step from the digit moves F by much, in any direction. For a large d it promises nothing, because F(x) - F(x') is no longer the inner product with the gradient *at x*. Training kept the gradient small at the digits, not between black and the digit. There it may be large, and the network can do its work unseen.

# %% [markdown]
# ### Exercise 3: steepness without units
#
# ●○○ · 6 minutes
#
# Write the ratio above. The norms are Euclidean.
#
# <details><summary>Hint 1</summary>
#
# <code>tensor.norm()</code> is the Euclidean norm of all its entries.
#
# <details><summary>Hint 2</summary>
#
# Three numbers: steepness at x, the distance from x' to x, and the absolute change of F.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-02-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scale_free(f, x, baseline):
    """Steepness at x, relative to how far F moved from the baseline.

    f: (N, features) -> (N,);  x, baseline: (1, features).
    Returns one number, at least 0.
    """
    ### BEGIN SOLUTION
    steepness = igteach.gradient(f, x).values.norm()
    return steepness * (x - baseline).norm() / (f(x) - f(baseline))[0].abs()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("02.3", scale_free)

# %% [markdown]
# Now for the two networks, on the 360 digits that neither has seen.

# %%
plain, flat = digits.load_plain(), digits.load_flat()
pictures, labels = data.x_test.to(device), data.y_test.to(device)
black = torch.zeros_like(pictures)


def steepness(f, predicted):
    """The ratio of exercise 3 for every picture: (N,)."""
    slope = igteach.gradient(f, pictures, target=predicted)
    climbed = slope.f_input - f(black).detach().gather(1, predicted[:, None])[:, 0]
    distance = pictures.flatten(1).norm(dim=1)
    return slope.values.flatten(1).norm(dim=1) * distance / climbed.abs()


for name, network in {"plain": plain, "flat": flat}.items():
    confidence, predicted = igteach.probability(network)(pictures).detach().max(dim=1)
    right = (predicted == labels).float().mean()
    of_probability = steepness(igteach.probability(network), predicted).median()
    of_logit = steepness(igteach.logit(network), predicted).median()
    print(name)
    print("  accuracy:                            ", show.rounded(right, 3))
    print("  mean confidence:                     ", show.rounded(confidence.mean(), 2))
    print("  median steepness of the probability: ", show.rounded(of_probability, 2))
    print("  median steepness of the logit:       ", show.rounded(of_logit, 2))

# %% [markdown]
# The two networks are equally accurate, to within one picture, and equally sure: after training, the last layer of the flat network was scaled until its confidence matched. Scaling multiplies a logit's gradient and its climb by the same factor, so the ratio stays as it was. Yet the flat network has next to no gradient.
#
# The table measures two functions F, the probability and the logit. Look at them separately. The plain network's probability has flattened out, its logit has not: the softmax did it. In the flat network the logit is flat as well. So compare networks on the same F only. Now look at one digit, with F the probability again, on one scale for both.

# %% tags=["slide"]
seen = {"plain": plain, "flat": flat}
slopes = {
    name: igteach.gradient(igteach.probability(network), picture, target=label)
    for name, network in seen.items()
}
maps = {f"saliency, {name} network": slopes[name].values[0, 0].abs() for name in seen}
show.heatmaps(maps, kind="magnitude", picture=picture[0, 0])

# %% [markdown] tags=["slide-goes-on"]
# Anyone who trusts saliency would say that the flat network looks at nothing. It reads digits all the same, and is right about as often. So **steepness is not importance**, and a maker who wants to hide what a network uses can do so at next to no cost in accuracy.

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** Integrated Gradients looks at the whole path from black to the digit. Its shares add up to F(x) - F(x'), which is about the same for both networks. Will its map of the flat network be empty too?

# %% tags=["slide"]
shares = {
    name: igteach.integrated_gradients(
        igteach.probability(network), picture, 0 * picture, target=label, steps=256
    )
    for name, network in seen.items()
}
maps = {f"IG, {name} network": shares[name].values[0, 0] for name in seen}
show.heatmaps(maps, picture=picture[0, 0])

# %% tags=["slide-goes-on"]
for name, share in shares.items():
    gained = (share.f_input - share.f_baseline)[0]
    print(f"{name}: F(x) - F(x') is", show.rounded(gained, 2))
    print("  the shares add up to", show.rounded(share.values.sum(), 2))
both_maps = torch.stack([share.values.flatten() for share in shares.values()])
agreement = torch.corrcoef(both_maps)[0, 1]
print("correlation of the two maps:", show.rounded(agreement, 2))

# %% [markdown]
# No: there are two full maps, and each accounts for its own network's score. They are much alike but not the same: two networks need not read the same digits in the same way.
#
# How does Integrated Gradients do that? It averages the gradient over the path, where saliency reads it off at the end. [Lesson 03](03_reference_background.ipynb) prepares the ground, and [lesson 04](04_integrated_gradients.ipynb) builds it in six lines.

# %% [markdown]
# ### Exercise 4: where the work is done
#
# ●●○ · 8 minutes
#
# On the path to the digit, F had all but arrived long before the end. Measure that, for any F and any baseline: at which alpha has F first made nine tenths of its change from F(x') to F(x)? Try the 101 values of alpha 0, 0.01, 0.02, ..., 1. Along the path, some functions go down instead of up, and some overshoot F(x).
#
# <details><summary>Hint 1</summary>
#
# The point at alpha is <code>baseline + alpha * (x - baseline)</code>. All 101 of them fit into one batch.
#
# <details><summary>Hint 2</summary>
#
# How much of its change has F made at a point? Write it as a fraction that is 0 at the baseline and 1 at x, whether F rises or falls.
#
# <details><summary>Hint 3</summary>
#
# <code>argmax()</code> of zeros and ones returns the index of the first one. The answer is an alpha, not an index.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-02-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearly_there(f, x, baseline):
    """The first alpha at which F has made nine tenths of its change.

    f: (N, features) -> (N,);  x, baseline: (1, features).
    Returns one number, from 0 to 1.
    """
    ### BEGIN SOLUTION
    alphas = (torch.arange(101) / 100).to(x)
    path = baseline + alphas[:, None] * (x - baseline)
    made = (f(path) - f(baseline)) / (f(x) - f(baseline))
    return alphas[(made > 0.9).int().argmax()]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.4", nearly_there)

# %% [markdown]
# ## Recap
#
# From [lesson 01](01_naive_gradients.ipynb): for F = 3 x1 + 0.1 x2 at (0, 10), which feature has the larger gradient, and which made the score?
#
# <details><summary>Answer</summary>
#
# x1 has the larger gradient: 3 against 0.1. x2 made the score: 0.1 times 10 is all of it, and x1 is 0. This took no saturation: the gradient answers a different question from the start.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** F(x) = 1 - ReLU(1 - x) at x = 0.5, with baseline 0. Does gradient times (x - x') explain all of F(x) - F(x')?
#
# <details><summary>A. Yes.</summary>
#
# Right. Up to x = 1 the function is the straight line F = x. On a straight line the slope at the end is the slope everywhere.
#
# </details>
# <details><summary>B. No, the function saturates.</summary>
#
# It does, but only beyond x = 1. Between 0 and 0.5 there is no bend.
#
# </details>

# %% [markdown]
# **Question 2.** Occlusion gives two features 0 each. What may you conclude?
#
# <details><summary>A. Neither matters.</summary>
#
# Not so: the two sensors of the alarm got 0 each, and together they made the score.
#
# </details>
# <details><summary>B. Each is dispensable while the other is there.</summary>
#
# Right. It says nothing about taking both away.
#
# </details>

# %% [markdown]
# **Question 3.** A colleague multiplies the last layer, weights and biases, by 5. The network gets surer, its answers stay, and where it is sure, the saliency of the probability fades. What happened?
#
# <details><summary>A. The network now uses fewer pixels.</summary>
#
# Its answers come from the same pixels as before. Only the softmax has moved to where it is flat.
#
# </details>
# <details><summary>B. The softmax saturates: at a sure answer its slope is close to zero.</summary>
#
# Right. The same happens to any network that is sure. It is a fact about the end of the path, not about what was used along it.
#
# </details>
# <details><summary>C. Autograd lost precision.</summary>
#
# Here too, autograd is exact to rounding.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("02")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Where F has flattened out, the gradient is zero whatever the feature did on the path. Gradients break sensitivity.
# 2. Taking features away one at a time fails where one can stand in for another.
# 3. Steepness is not importance. Of two networks, equally accurate and equally sure, one can have next to no gradient to show.
#
# **Where it comes from.** The one-variable example and the axiom: Sundararajan, Taly and Yan (2017); saturation along the path: Sundararajan, Taly and Yan (2016). Occlusion: Zeiler and Fergus (2014). Gradients pushed to zero without loss of accuracy: Su Jianlin (2020).
#
# **What is next.** [Lesson 03](03_reference_background.ipynb): every share is a share *of a difference*. A difference from what?
