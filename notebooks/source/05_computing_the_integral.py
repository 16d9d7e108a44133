# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 05 · Computing the integral
#
# **The question.** Two people explain the same input, one with 50 gradients and one with 51, and their answers differ. How wrong is an attribution, and how would you know?
#
# **You will be able to**
# - choose a rule and a number of steps, and say what the error does when you double them;
# - compute Integrated Gradients of a ReLU network without any error of integration;
# - find a bug in an implementation by its residual, and name a bug that the residual cannot find.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb).
#
# **Time.** 70 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks are small, and exact shares are computed on the CPU.

# %%
import torch
from torch import nn

import igteach
from igteach import show
from igteach.datasets import load_digits
from igteach.exercises import check
from igteach.models import digits
from igteach.core.quadrature import RULES, nodes_and_weights

device = igteach.device()

# %% [markdown]
# ## One step more
#
# F(x) = 1 - ReLU(1 - x) at x = 2, from x' = 0. There is one feature, and its share is 1. We compute it with the best rule that textbooks offer, Gauss-Legendre: with n nodes it is exact for polynomials up to degree 2n - 1.
#
# **Predict.** You go from 50 nodes to 51. Does the answer get better, stay as it was, or get worse?

# %%
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
x = torch.tensor([[2.0]], dtype=torch.float64)

for steps in (50, 51):
    share = igteach.integrated_gradients(f, x, steps=steps, rule="gauss_legendre").values[0, 0]
    off = (share - 1).abs()
    print(f"{steps} nodes: off by {show.rounded(100 * off):g} %,  right to 1e-9: {bool(off < 1e-9)}")

# %% [markdown]
# One gradient more, and the answer is far worse. Here are more counts, with the plain midpoint rule of lesson 04 beside it.

# %%
counts = list(range(20, 61))
percent = {
    rule: [100 * (igteach.integrated_gradients(f, x, steps=n, rule=rule).values - 1).abs().item() for n in counts]
    for rule in ("gauss_legendre", "midpoint")
}
show.curves(counts, percent, xlabel="steps", ylabel="error of the share, in percent")

# %% [markdown]
# The gradient along the path is 1 up to the middle, where x passes 1, and 0 from there on. An even number of nodes has half its weight on either side of that kink, by symmetry. An odd number has a node *on* the kink, and all of that node's weight falls to one side.
#
# So 50 was luck, and not accuracy. The luck depends on where the kink lies. Move x a little, and it is gone:

# %%
elsewhere = torch.tensor([[2.3]], dtype=torch.float64)
share = igteach.integrated_gradients(f, elsewhere, steps=50, rule="gauss_legendre").values[0, 0]
print("at x = 2.3, with 50 nodes, right to 1e-9:", bool((share - 1).abs() < 1e-9))

# %% [markdown]
# ## Five rules
#
# Write g(α) for the gradient along the path. The integral is the area under g. A **rule** says where to look, at nodes α_1 to α_n, and how much each look counts, by weights w_1 to w_n that add up to 1:
#
# $$\int_0^1 g(\alpha)\, d\alpha \;\approx\; \sum_{k=1}^{n} w_k\, g(\alpha_k) .$$
#
# *Left*, *right* and *midpoint* cut the path into n equal pieces and look once in each. *Trapezoid* looks at both ends of n - 1 pieces and joins the looks by straight lines. *Gauss-Legendre* chooses nodes and weights so that a polynomial of the highest possible degree comes out right.

# %%
for rule in RULES:
    nodes, weights = nodes_and_weights(rule, 4)
    print(f"{rule:15s} nodes {show.rounded(nodes, 2)}  weights {show.rounded(weights, 2)}")

# %% [markdown]
# ### Exercise 1: the trapezoid
#
# ●○○ · 5 minutes
#
# Write its weights yourself, for n points from 0 to 1 at equal distances, both ends among them. On each piece the rule takes the mean of the two ends, times the length of the piece.
#
# <details><summary>Hint 1</summary>
#
# Between n points there are n - 1 pieces.
#
# <details><summary>Hint 2</summary>
#
# How many pieces does a point inside belong to, and how many an end?
#
# <details><summary>Hint 3</summary>
#
# Add your weights up. The area under a constant 1 must be 1.
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-05-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trapezoid_weights(n):
    """How much each of n points counts in the trapezoid rule on [0, 1].

    n: int, at least 2.  Returns (n,), which adds up to 1.
    """
    ### BEGIN SOLUTION
    weights = torch.full((n,), 1 / (n - 1), dtype=torch.float64)
    weights[0] = weights[-1] = 0.5 / (n - 1)
    return weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.1", trapezoid_weights)

# %% [markdown]
# ## How wrong are shares?
#
# To compare rules we need one number for many shares. The residual will not do: a share too high and another too low cancel in it. So take the size of every single error before adding up, and measure the sum against the size of all true shares:
#
# $$\text{error} \;=\; \frac{\sum_i \lvert a_i - \mathrm{IG}_i \rvert}{\sum_i \lvert \mathrm{IG}_i \rvert} .$$
#
# It is 0 for perfect shares, and 1 if you had given everybody nothing.

# %% [markdown]
# ### Exercise 2: the error of shares
#
# ●○○ · 4 minutes
#
# Write it, for shares of any shape.
#
# <details><summary>Hint 1</summary>
#
# Two sums, each over everything, and one division at the end.
#
# <details><summary>Hint 2</summary>
#
# First <code>abs()</code>, then <code>sum()</code>.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-05-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def error_of_shares(values, truth):
    """The sizes of all errors, added up, as a part of the sizes of all true shares.

    values, truth: tensors of one shape.  Returns one number.
    """
    ### BEGIN SOLUTION
    return (values - truth).abs().sum() / truth.abs().sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.2", error_of_shares)

# %% [markdown]
# ## Where the textbook is right
#
# Take a smooth function whose shares are known: F = exp(5 x1 - x2), from (0, 0) to (1, 1). Along the path F is exp(4α), so the shares are 5 (e⁴ - 1) / 4 and -(e⁴ - 1) / 4.
#
# **Predict.** You double the steps. By what factor does the error of the left rule fall, by what factor that of midpoint?

# %%
def error(values, truth):
    """Exercise 2 for each example of a batch: (batch,)."""
    values, truth = values.cpu().double().flatten(1), truth.cpu().double().flatten(1)
    return (values - truth).abs().sum(1) / truth.abs().sum(1)


smooth = igteach.toy(lambda x1, x2: torch.exp(5 * x1 - x2))
ones = torch.ones(1, 2, dtype=torch.float64)
truth = torch.tensor([[5.0, -1.0]], dtype=torch.float64) * (torch.e**4 - 1) / 4
counts = [2, 4, 8, 16, 32, 64, 128]
ROUNDING = 1e-12  # what is smaller is drawn here


def errors_of(rules, f, x, target, truth):
    """rule -> the median error of the shares of a batch, for each of the counts."""
    found = {}
    for rule in rules:
        answers = [igteach.integrated_gradients(f, x, target=target, steps=n, rule=rule) for n in counts]
        found[rule] = torch.stack([error(answer.values, truth).median() for answer in answers])
    return found


smooth_errors = errors_of(RULES, smooth, ones, None, truth)
show.curves(
    counts,
    {rule: errors.clamp(min=ROUNDING) for rule, errors in smooth_errors.items()},
    xlabel="steps",
    ylabel="error of the shares",
    logarithmic=True,
)

# %%
for rule in ("left", "midpoint"):
    factor = smooth_errors[rule][3] / smooth_errors[rule][4]
    print(f"{rule}: from 16 to 32 steps the error falls by a factor of", show.rounded(factor, 2))
down = smooth_errors["gauss_legendre"][3] < ROUNDING
print("gauss_legendre, 16 nodes: the error is down to rounding:", bool(down))

# %% [markdown]
# On a smooth function all goes by the book. Left and right lose as 1/n, midpoint and trapezoid as 1/n², and Gauss-Legendre falls off the figure.
#
# ## Where it is not: a network
#
# A ReLU network is made of linear pieces. Along the path its gradient is constant, jumps, is constant, and jumps again. No polynomial of any degree looks like that.
#
# Twenty-four digits, five rules. F is the logit of the digit, the number before the softmax: a softmax is bent everywhere, and with it F would not be made of linear pieces. The truth comes from a method that makes no error of integration; we get to it soon. The sixth line falls as 1/n.
#
# **Predict.** Which rule wins now, and how steeply do the errors fall?

# %%
model = digits.load()
exact_model = digits.load("cpu")
data = load_digits()
pictures = data.x_test[:24].to(device)
labels = model(pictures).argmax(dim=1)
score = igteach.logit(model)
exact = igteach.exact_integrated_gradients(exact_model, pictures.cpu(), target=labels.cpu())

counts = [2, 4, 8, 16, 32, 64, 128, 256]
network_errors = errors_of(RULES, score, pictures, labels, exact.values)
show.curves(
    counts,
    network_errors | {"1/n": 0.5 / torch.tensor(counts)},
    xlabel="steps",
    ylabel="error of the shares, median",
    logarithmic=True,
)

# %%
for rule, errors in network_errors.items():
    factor = errors[3] / errors[7]
    print(f"{rule:15s} 16 times as many steps: the error falls by a factor of 10 to 24: {bool(10 < factor < 24)}")
no_worse = network_errors["midpoint"] <= network_errors["gauss_legendre"]
print("midpoint is no worse than gauss_legendre, at every count:", bool(no_worse.all()))

# %% [markdown]
# Five rules, one slope. Each jump of the gradient falls somewhere between two nodes, and no rule knows where; what it gets wrong there is of the size of one weight, and weights are about 1/n. So all of them lose as 1/n, and the clever rule has nothing to be clever about.
# Its nodes crowd at the ends of the path and are sparse in the middle, where each counts for more. That is why it does a little worse than midpoint here, and why it was off by more at 51.
#
# This package takes midpoint, 64 steps, where you do not say otherwise.
#
# ## How many steps?
#
# Sundararajan, Taly and Yan (2017) advise 20 to 300, enough to bring the sum of the shares within 5% of F(x) - F(x'). Try both ends of that on the network above, and on the flat network of lesson 02, which does all its work on a short stretch of the path.

# %%
many = data.x_test[:100].to(device)
for name, network in {"ReLU network": model, "flat network": digits.load_flat()}.items():
    chosen = network(many).argmax(dim=1)
    for steps in (20, 300):
        answer = igteach.integrated_gradients(igteach.probability(network), many, target=chosen, steps=steps)
        under = (answer.relative_residual < 0.05).all()
        print(f"{name}, {steps:3d} steps: the residual is under 5% for every digit: {bool(under)}")

# %% [markdown]
# The range is wide because networks differ. No number of steps is right for all of them; and that is not the worst of it.
#
# ## The residual is not the error
#
# Here is a digit for which 8 steps of the flat network seem to do.

# %%
flat = igteach.probability(digits.load_flat())
digit = data.x_test[239:240].to(device)
label = int(flat(digit).argmax())
few = igteach.integrated_gradients(flat, digit, target=label, steps=8)
dense = igteach.integrated_gradients(flat, digit, target=label, steps=1024)

print("the residual of 8 steps is below 0.5%:", bool(few.relative_residual < 0.005))

# %% [markdown]
# **Predict.** The shares add up almost perfectly. How far off are they: less than 1%, about 5%, more than 25%?

# %%
print("the error of the shares is above 25%:", bool(error(few.values, dense.values) > 0.25))
denser = igteach.integrated_gradients(flat, digit, target=label, steps=4096)
print("1024 steps agree with 4096 to 0.1%:  ", bool(error(dense.values, denser.values) < 0.001))

# %%
show.heatmaps({"8 steps": few.values[0, 0], "1024 steps": dense.values[0, 0]}, picture=digit[0, 0])

# %% [markdown]
# Errors of opposite signs have cancelled. The residual looks at one direction only, the sum; shares can go wrong in all the others.
# It works one way: **a large residual proves an answer wrong, a small one proves nothing.** To know the error you need the truth, or a good estimate. We get both, the truth first.
#
# ## No integration at all
#
# Between two jumps the gradient of a ReLU network is constant, and the area under a constant is height times length. So find the jumps, take one gradient in each piece, and the sum is *exact*.
#
# A jump happens where a unit switches on or off: a **kink**. Take one layer. A unit computes w · x + b before its ReLU. On the straight path that is a straight line in α,
#
# $$w \cdot \bigl(x' + \alpha\,(x - x')\bigr) + b \;=\; (w \cdot x' + b) + \alpha\; w \cdot (x - x') ,$$
#
# and a straight line passes 0 at most once.

# %% [markdown]
# ### Exercise 3: kinks
#
# ●●○ · 10 minutes
#
# Find the alphas, strictly between 0 and 1, at which some unit of a layer passes 0. Sort them. You may take it that no unit stays at 0.
#
# <details><summary>Hint 1</summary>
#
# Set the line above to 0 and solve for alpha, for each unit.
#
# <details><summary>Hint 2</summary>
#
# <code>weight @ baseline + bias</code> has one number for each unit, and so has <code>weight @ (x - baseline)</code>.
#
# <details><summary>Hint 3</summary>
#
# A mask keeps what you want: <code>alphas[(alphas > 0) & (alphas < 1)]</code>. <code>sort()</code> returns values and places.
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-05-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kinks(weight, bias, x, baseline):
    """Where on the path from baseline to x a unit of the layer weight @ x + bias passes 0.

    weight: (units, features);  bias: (units,);  x, baseline: (features,).  Returns (kinks,), ascending, inside (0, 1).
    """
    ### BEGIN SOLUTION
    alphas = -(weight @ baseline + bias) / (weight @ (x - baseline))
    return alphas[(alphas > 0) & (alphas < 1)].sort().values
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("05.3", kinks)

# %% [markdown]
# ### Exercise 4: exact shares
#
# ●●○ · 10 minutes
#
# Now the shares of a network with one hidden layer, given its kinks. They cut the path into pieces. Take the gradient in the middle of each piece, times the length of the piece.
#
# <details><summary>Hint 1</summary>
#
# The first piece begins at 0, and the last one ends at 1: put both around the kinks with <code>torch.cat</code>.
#
# <details><summary>Hint 2</summary>
#
# <code>ends.diff()</code> gives the lengths, <code>(ends[1:] + ends[:-1]) / 2</code> the middles.
#
# <details><summary>Hint 3</summary>
#
# <code>lengths @ gradients</code> adds up length times gradient. What else belongs to a share?
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-05-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exact_shares(f, x, baseline, alphas):
    """Integrated Gradients of a function that is linear between its kinks.

    f: (N, features) -> (N,);  x, baseline: (1, features);  alphas: (kinks,), ascending.  Returns (1, features).
    """
    ### BEGIN SOLUTION
    ends = torch.cat([torch.zeros(1).to(alphas), alphas, torch.ones(1).to(alphas)])
    middles, lengths = (ends[1:] + ends[:-1]) / 2, ends.diff()
    points = baseline + middles[:, None] * (x - baseline)
    return (x - baseline) * (lengths @ igteach.gradient(f, points).values)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-4", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("05.4", exact_shares)

# %% [markdown]
# ## Layer by layer
#
# In a deep network the kinks of the first layer cut the path into pieces, and on each piece everything that enters the second layer is again a straight line in α. Find the kinks of the second layer piece by piece, cut finer, and go on to the third (Sotoudeh and Thakur 2019).
#
# The package does that: `igteach.exact_integrated_gradients`. It returns the ends of the pieces as well. Let us watch them multiply, in the small network that reads digits.
#
# **Predict.** Three convolutions, each followed by ReLUs: 2,560 ReLUs in all. How many pieces make up the path from black to one digit?

# %%
one, its_label = pictures[3:4].cpu(), int(labels[3])
layers = list(exact_model)
pieces = []
for depth in (2, 4, 7):
    first_layers = nn.Sequential(*layers[:depth], nn.Flatten())
    pieces.append(int(igteach.exact_integrated_gradients(first_layers, one, target=0).evaluations))
show.bars(["first ReLUs", "first two", "all three"], {"linear pieces on the path": pieces}, ylabel="pieces")

# %%
between = (exact.evaluations > 700) & (exact.evaluations < 1400)
print("each of the 24 digits has between 700 and 1400 pieces:          ", bool(between.all()))
print("the residual is at machine precision (below 1e-12 of the whole):", bool((exact.relative_residual < 1e-12).all()))

# %% [markdown]
# So many pieces, and nothing left over. Here is what the rules had to integrate: the slope of F along the path, dF/dα, in all its pieces, and a small part of it enlarged.

# %%
ends = exact.pieces[3]
middles = (ends[1:] + ends[:-1]) / 2
points = middles.view(-1, 1, 1, 1) * one.double()
gradients = igteach.gradient(digits.load("cpu").double(), points, target=its_label).values
slope = (gradients * one).flatten(1).sum(1)


def staircase(part):
    """The pieces inside part, as corners of steps."""
    inside = (ends[:-1] >= part[0]) & (ends[1:] <= part[1])
    across = torch.stack([ends[:-1][inside], ends[1:][inside]], dim=1).flatten()
    up = slope[inside].repeat_interleave(2)
    return show.curves(across, {"dF/dα": up}, xlabel="α", ylabel="slope of F along the path")


staircase((0, 1))

# %%
staircase((0.3, 0.33))

# %% [markdown]
# From afar it is a curve, and close up a staircase. Sixty-four nodes see sixty-four of its steps.
#
# ## The bug gallery
#
# Wrong shares also come from wrong code. Six people wrote Integrated Gradients, and no code of theirs raises an error. Read it.

# %%
steps = 50
middle = ((torch.arange(steps, device=device) + 0.5) / steps).view(-1, 1, 1, 1)
with_ends = torch.linspace(0, 1, steps, device=device).view(-1, 1, 1, 1)


def slopes(f, x, baseline, alphas):
    """The gradient at each alpha: (alphas, *features). There is no bug in here."""
    points = (baseline + alphas * (x - baseline)).requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def anna(f, x, baseline):
    x = x.clone().requires_grad_()
    points = baseline + middle * (x - baseline)
    average = torch.autograd.grad(f(points).sum(), x)[0] / steps
    return (x - baseline).detach() * average


def ben(f, x, baseline):
    weights = torch.ones_like(with_ends) / steps
    weights[0] /= 2
    weights[-1] /= 2
    return (x - baseline) * (weights * slopes(f, x, baseline, with_ends)).sum(dim=0)


def chloe(f, x, baseline):
    weights = torch.ones_like(with_ends) / (steps - 1)
    return (x - baseline) * (weights * slopes(f, x, baseline, with_ends)).sum(dim=0)


def dario(f, x, baseline):
    return slopes(f, x, baseline, middle).mean(dim=0, keepdim=True)


def emma(f, x, baseline):
    average = slopes(f, x, baseline, middle).mean(dim=0)
    return (x - baseline) * average.transpose(-1, -2)


def fred(f, x, baseline):
    average = slopes(f, x, baseline, middle).mean(dim=0)
    return ((x - baseline) * average).transpose(-1, -2)

# %% [markdown]
# We put each to two functions. One is a *linear* F, with a weight for each pixel: there every rule is exact, so any residual at all is a bug. The other is the network, on a digit against a grey picture; there 50 honest steps leave a little over, too.
#
# **Predict.** Find the six bugs. Then say which of them the residual catches: on the linear F, and on the network, where we call 5% too much.

# %%
digit, label = pictures[3:4], int(labels[3])
grey = torch.full_like(digit, 0.5)
weights = torch.linspace(-1, 2, 64, device=device)


def linear(batch):
    return batch.flatten(1) @ weights


def network(batch):
    return model(batch)[:, label]


def handed_out(method, f):
    """The sum of the shares, as a part of F(x) - F(x')."""
    return (method(f, digit, grey).sum() / (f(digit) - f(grey))[0]).detach()


print("        hands out of a linear F   caught on it   caught on the network")
for method in (anna, ben, chloe, dario, emma, fred):
    on_linear, on_network = handed_out(method, linear), handed_out(method, network)
    caught = bool((on_linear - 1).abs() > 0.001), bool((on_network - 1).abs() > 0.05)
    print(f"{method.__name__:6s}  {show.rounded(on_linear):23g}   {caught[0]!s:12s}   {caught[1]}")

# %% [markdown]
# - **Anna** differentiates by x, and not by the points on the path. The chain rule puts an α before each gradient; α is applied twice. On a linear F she hands out the average of α.
# - **Ben** has n points and divides by n. His trapezoid's weights add up to (n - 1) / n.
# - **Chloe** has the right length of a piece and counts both ends in full. Hers add up to n / (n - 1).
# - **Dario** forgot x - x'.
# - **Emma**'s gradient has its rows and columns exchanged, as when two libraries disagree about the order of axes. She multiplies what does not belong together.
# - **Fred** exchanges them at the very end.
#
# Ben and Chloe pass on the network. Their fault is of the size of the honest error there, and hides behind it. On a linear F there is no honest error to hide behind. So **test an implementation on a linear function first**.
#
# And Fred passes everywhere. He hands out the right shares, to the wrong pixels.

# %%
true_shares = igteach.exact_integrated_gradients(exact_model, digit.cpu(), grey.cpu(), target=label).values
freds = fred(network, digit, grey).detach()
show.heatmaps({"exact": true_shares[0, 0], "Fred": freds[0, 0]}, picture=digit[0, 0])

# %%
print("Fred's shares add up within 1%:                 ", bool((handed_out(fred, network) - 1).abs() < 0.01))
print("the error of his shares is above 100%:          ", bool(error(freds, true_shares) > 1))
known = weights.view(1, 1, 8, 8) * (digit - grey)
print("on the linear F, whose shares we know, above 25%:", bool(error(fred(linear, digit, grey), known) > 0.25))

# %% [markdown]
# Completeness is one number, and shares are many. Whatever moves them around within their sum is invisible to it. On a linear F you know every single share, weight times distance; compare them one by one, and Fred is found as well.
#
# ## Two bugs outside the code
#
# Pictures come as bytes. Here is code without a bug, and a picture that nobody has turned into floats. **Predict.** What is 0 - 8 in unsigned bytes?

# %%
scan, grey_scan = (digit * 16).to(torch.uint8), (grey * 16).to(torch.uint8)
print("0 - 8 =", int(torch.zeros(1, dtype=torch.uint8) - 8))


def from_bytes(f):
    moved = (scan - grey_scan) / 16
    points = (grey_scan / 16 + middle * moved).requires_grad_()
    return moved * torch.autograd.grad(f(points).sum(), points)[0].mean(dim=0)


for name, f in {"linear F": linear, "network ": network}.items():
    part = from_bytes(f).sum() / (f(digit) - f(grey))[0]
    print(name, "caught:", bool((part - 1).abs() > 0.05))

# %%
try:
    igteach.integrated_gradients(network, scan, grey)
except TypeError as refusal:
    print("igteach:", refusal)

# %% [markdown]
# Every pixel darker than the baseline went off in the wrong direction, and far. The path never arrives at x.
#
# The other one: a network that was left in train mode. We put dropout before the last layer, as many networks have it, and forget `eval()`.

# %%
shaky = nn.Sequential(*layers[:-1], nn.Dropout(0.5), layers[-1]).train()


def in_train_mode(batch):
    return shaky(batch)[:, label]


torch.manual_seed(0)
parts = []
for _ in range(10):
    start, end = grey.cpu(), digit.cpu()
    shares = (end - start) * slopes(in_train_mode, end, start, middle.cpu()).mean(dim=0)
    gained = in_train_mode(end) - in_train_mode(start)
    parts.append((shares.sum() / gained[0]).detach())
print("ten runs, ten answers:", len(set(show.rounded(parts))) == 10)
print("caught in at least 5 of them:", int(((torch.stack(parts) - 1).abs() > 0.05).sum()) >= 5)

# %%
try:
    igteach.integrated_gradients(shaky, digit.cpu(), target=label)
except ValueError as refusal:
    print("igteach:", refusal)

# %% [markdown]
# ## An estimate, and a tolerance
#
# Exact shares need a ReLU network. For all others the package estimates the error, from gradients that it has anyway. Where neighbouring nodes have different gradients, a kink may hide between them, and the sum may be off by about that difference times the gap. Added up over the nodes, that is `error_estimate`: the error of exercise 2, as far as one can know it.
#
# **Predict.** What will the estimate say of the two answers that fooled us: the lucky 50 nodes at the start, and the 8 steps whose residual was so small?

# %%
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
lucky = igteach.integrated_gradients(f, x, steps=50, rule="gauss_legendre")
print("50 lucky nodes: the estimate is above 1%:", bool(lucky.error_estimate > 0.01))
print("8 steps:        the estimate is above 25%:", bool(few.error_estimate > 0.25))
print("the verdict on the 8 steps is 'complete':", few.verdict == "complete")

# %% [markdown]
# It does not trust luck, and it is not fooled by a sum. Now turn the question round. Say how large an error you accept, and let the package find the number of steps, for each example its own.

# %%
answer = igteach.integrated_gradients(score, pictures, target=labels, tolerance=0.01)
true_errors = error(answer.values, exact.values)

print("converged, every digit:              ", bool(answer.converged.all()))
print("they needed different numbers of steps:", len(set(answer.evaluations.tolist())) > 1)
print("the true error is under the tolerance: ", bool((true_errors < 0.01).all()))
print("the true error is under the estimate:  ", bool((true_errors < answer.error_estimate.cpu()).all()))
print("half the estimates are at most 3 times it:", bool((answer.error_estimate.cpu() / true_errors).median() <= 3))

# %%
show.curves(
    torch.arange(1, 25),
    {"estimate": answer.error_estimate.sort().values, "true error": true_errors[answer.error_estimate.cpu().argsort()]},
    xlabel="digit, in the order of the estimates",
    ylabel="error of the shares",
)

# %% [markdown]
# The estimate leans to the safe side, as it should. If the tolerance cannot be had for the gradients that you allow, the answer says so instead of passing off what it has.

# %%
strict = igteach.integrated_gradients(score, pictures, target=labels, tolerance=0.001, max_evaluations=256)
print("converged, any digit:", bool(strict.converged.any()))

# %% tags=["nbval-ignore-output"]
strict

# %% [markdown]
# ## Spend gradients where F moves
#
# The flat network does its work on a short stretch of the path, and evenly spaced nodes waste themselves on the rest. With `rule="warped"` the package first walks the path without gradients, which is cheap, and then sets its nodes close together where F moves. Here are the probabilities of a hundred digits. What is below 1e-4 is drawn there.

# %%
labels_flat = flat(many).argmax(dim=1)
truth = igteach.integrated_gradients(flat, many, target=labels_flat, steps=256, rule="gauss_legendre").values
counts = [4, 8, 16, 32, 64, 128]
flat_errors = errors_of(("midpoint", "gauss_legendre", "warped"), flat, many, labels_flat, truth)
show.curves(
    counts,
    {rule: errors.clamp(min=1e-4) for rule, errors in flat_errors.items()},
    xlabel="steps",
    ylabel="error of the shares, median",
    logarithmic=True,
)

# %%
midpoint, gauss, warped = flat_errors.values()
print("16 steps: warped has less than a third of midpoint's error:", bool(warped[2] < midpoint[2] / 3))
print("64 steps: gauss_legendre has less error than warped:       ", bool(gauss[4] < warped[4]))

# %% [markdown]
# With few gradients, warped nodes win by far. With many, the others catch up: this network is smooth (its units are tanh), and once the nodes see the short stretch, the textbook is right again. There is no rule for all functions. There is an estimate for each answer; read it.
#
# ## Recap
#
# From [lesson 04](04_integrated_gradients.ipynb): the paths with and without a corner gave x1 x2 + x3 different shares, and both had a residual of zero. Is one of them a bug?
#
# <details><summary>Answer</summary>
#
# No. Both are right, each for its own path, and completeness holds for every path. It is one more thing that a residual does not see: which path was walked.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Your shares for a ReLU network have an error of 4% with 50 midpoint steps. How many steps for 1%?
#
# <details><summary>A. About 100: midpoint loses as 1/n².</summary>
#
# On smooth functions it does. The gradient of a ReLU network jumps, and there every rule loses as 1/n.
#
# </details>
# <details><summary>B. About 200.</summary>
#
# Right. A quarter of the error takes four times the steps.
#
# </details>
# <details><summary>C. 50, with Gauss-Legendre.</summary>
#
# Its advantage is for smooth functions. On jumps it was no better than midpoint.
#
# </details>

# %% [markdown]
# **Question 2.** An implementation has a residual of 2% on a network with 50 steps, and 2% on a linear function. What do you do?
#
# <details><summary>A. Take more steps.</summary>
#
# On the network that is a thought. But a linear function needs one step only, and nothing excuses a residual there.
#
# </details>
# <details><summary>B. Look for a bug.</summary>
#
# Right. On a linear function every rule is exact, so its weights do not add up to 1, or something else is off by 2%.
#
# </details>

# %% [markdown]
# **Question 3.** A residual of zero, on a linear function and on the network. Which bug is still possible?
#
# <details><summary>A. The shares belong to other pixels than the ones they are shown on.</summary>
#
# Right. Moving shares around leaves their sum. Compare single shares on a linear function, where you know them.
#
# </details>
# <details><summary>B. x - x' was forgotten.</summary>
#
# Then the sum is an average of slopes, and only by chance F(x) - F(x').
#
# </details>
# <details><summary>C. The network was in train mode.</summary>
#
# Then the gradients belong to other networks than F(x) and F(x') do, and the sum is off by chance, another time differently.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("05")

# %% [markdown]
# ## In three lines
#
# **Take away.**
#
# 1. On smooth functions clever rules win. On ReLU networks every rule loses as 1/n, and midpoint is as good as any; between their kinks such networks are linear, and shares can be exact.
# 2. A large residual proves an answer wrong. A small one proves nothing: errors cancel in it, and shares can sit on the wrong pixels.
# 3. Test code on a linear function, share by share. Ask an answer for its error estimate, or name a tolerance.
#
# **Where it comes from.** 20 to 300 steps for 5%: Sundararajan, Taly and Yan (2017). Exact shares from the linear pieces: Sotoudeh and Thakur (2019), who found fixed numbers of steps 25 to 45% off. Uneven steps: Bhat and Raychowdhury (2023); Swain et al. (2024).
#
# **What is next.** [Lesson 06](06_axioms.ipynb): what else one may demand of an attribution, besides adding up.
