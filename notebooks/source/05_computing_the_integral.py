# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 05 · Computing the integral
#
# **The question.** Two people explain the same input, one with 50 gradients and one with 51, and their answers differ. How wrong is an attribution, and how would you know?
#
# **You will be able to**
# - choose a rule and a number of steps, and say what doubling the steps does to the error;
# - compute Integrated Gradients of a ReLU network without integration error;
# - find a bug in an implementation by its residual, and name one that the residual misses;
# - ask for a tolerance instead of a number of steps, and say what an error estimate cannot see.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb).
#
# **Time.** 90 minutes, exercises included.
#
# **GPU.** It changes nothing here; the networks are small, and exact shares are computed on the CPU.

# %%
import torch
from torch import nn

import igteach
from igteach import explore, show
from igteach.datasets import load_digits
from igteach.exercises import check
from igteach.models import digits
from igteach.core.quadrature import RULES, nodes_and_weights

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## One more step
#
# Take F(x) = 1 - ReLU(1 - x) at x = 2, from x' = 0. There is one feature, and its share is 1. We compute it with the best rule in the textbook, Gauss-Legendre: with gradients at n points, the nodes, it is exact for polynomials up to degree 2n - 1.
#
# **Predict.** You go from 50 nodes to 51. Does the answer get better, stay the same, or get worse?

# %%
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
x = torch.tensor([[2.0]], dtype=torch.float64)

for steps in (50, 51):
    answer = igteach.integrated_gradients(f, x, steps=steps, rule="gauss_legendre")
    off = (answer.values[0, 0] - 1).abs()
    print(f"{steps} nodes: off by {show.rounded(100 * off):g} %")

# %% [markdown]
# Far worse. Here are other numbers of steps, beside the midpoint rule of lesson 04:

# %% tags=["slide"]
counts = list(range(20, 61))
percent = {}
for rule in ("gauss_legendre", "midpoint"):
    answers = [igteach.integrated_gradients(f, x, steps=n, rule=rule) for n in counts]
    percent[rule] = [100 * (answer.values - 1).abs().item() for answer in answers]
show.curves(counts, percent, xlabel="steps", ylabel="error of the share, in percent")

# %% [markdown]
# The gradient along the path is 1 up to the middle, where x passes 1, and 0 from there on. An even number of nodes puts half its weight on either side of that kink. An odd number puts a node *on* the kink, and all of that node's weight goes to one side.
#
# So 50 was luck. Move x a little, and it is gone:

# %%
elsewhere = torch.tensor([[2.3]], dtype=torch.float64)
answer = igteach.integrated_gradients(f, elsewhere, steps=50, rule="gauss_legendre")
off = (answer.values[0, 0] - 1).abs()
print(f"at x = 2.3, with 50 nodes: off by {show.rounded(100 * off):g} %")

# %% [markdown]
# ## Five rules
#
# Write g(α) for the gradient along the path. A **rule** says where to look, the nodes α_1 to α_n, and how much each look counts, the weights w_1 to w_n, which add up to 1:
#
# $$\int_0^1 g(\alpha)\, d\alpha \;\approx\; \sum_{k=1}^{n} w_k\, g(\alpha_k) .$$
#
# *Left*, *right* and *midpoint* cut the path into n equal pieces and look once in each. *Trapezoid* cuts the path into n - 1 pieces and looks at both ends of each; an inner node belongs to two pieces, so it has twice the weight of the first and the last. *Gauss-Legendre* chooses nodes and weights to be exact for polynomials of the highest possible degree.

# %%
for rule in RULES:
    nodes, weights = nodes_and_weights(rule, 4)
    print(
        f"{rule:15s} nodes {show.rounded(nodes, 2)}  weights {show.rounded(weights, 2)}"
    )

# %% [markdown]
# ## How wrong are the shares?
#
# To compare rules we need one number for many shares. The residual will not do: in it, a share too high cancels one too low. So add up the absolute values of the errors, and divide by the same sum for the true shares:
#
# $$\text{error} \;=\; \frac{\sum_i \lvert a_i - \mathrm{IG}_i \rvert}{\sum_i \lvert \mathrm{IG}_i \rvert} .$$
#
# It is 0 if the computed shares are the true ones, and 1 if all the computed ones are 0.

# %% [markdown]
# ## Where the textbook is right
#
# Take a smooth function whose shares are known: F = exp(5 x1 - x2), from (0, 0) to (1, 1). Along the path F is exp(4α), so the shares are 5 (e⁴ - 1) / 4 and -(e⁴ - 1) / 4.
#
# **Predict.** You double the steps. By what factor does the error of the left rule fall? And that of midpoint?


# %%
def error(values, truth):
    """The error of the shares, for each example of a batch: (batch,)."""
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
        answers = [
            igteach.integrated_gradients(f, x, target=target, steps=n, rule=rule)
            for n in counts
        ]
        medians = [error(answer.values, truth).median() for answer in answers]
        found[rule] = torch.stack(medians)
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
    factor = show.rounded(smooth_errors[rule][3] / smooth_errors[rule][4], 2)
    print(f"{rule}: from 16 to 32 steps the error falls by a factor of", factor)

# %% [markdown]
# On a smooth function everything goes by the book: the error of left and right falls like 1/n, that of midpoint and trapezoid like 1/n², and Gauss-Legendre drops to the bottom of the figure.

# %% [markdown] tags=["slide"]
# ## Where the textbook fails: a network
#
# A ReLU network is made of linear pieces: its gradient stays constant, jumps, stays constant, and jumps again. No polynomial does that.
#
# Twenty-four digits, five rules. F is the digit's logit, the number before the softmax (the softmax would bend every piece). The true shares come from a method without integration error; we get to it soon. The sixth line falls like 1/n, for comparison.
#
# **Predict.** Which rule wins now, and how steeply do the errors fall?

# %% tags=["slide"]
model = digits.load()
exact_model = digits.load("cpu")
data = load_digits()
pictures = data.x_test[:24].to(device)
labels = model(pictures).argmax(dim=1)
score = igteach.logit(model)
exact = igteach.exact_integrated_gradients(
    exact_model, pictures.cpu(), target=labels.cpu()
)

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
    slope = torch.log2(errors[7] / errors[3]) / torch.log2(torch.tensor(256 / 16))
    print(f"{rule:15s} slope from 16 to 256 steps:", show.rounded(slope, 1))
ratio = (network_errors["midpoint"] / network_errors["gauss_legendre"]).mean()
print("midpoint's error over gauss_legendre's, on average:", show.rounded(ratio, 1))

# %% [markdown] tags=["slide-goes-on"]
# Five slopes of about -1: twice the steps halve the error, and no rule wins. Each jump of the gradient falls somewhere between two nodes, and no rule knows where. The error that a jump causes is at most its height times the weight of a neighbouring node, and weights are about 1/n.
# Gauss-Legendre does a little worse than midpoint: its nodes are sparse in the middle of the path, where each has more weight.

# %% [markdown]
# Choose a rule and a number of steps for the first of these digits. Can you find a choice where the residual is small and the error is not?

# %% tags=["nbval-ignore-output"]
first, label = pictures[:1].cpu(), int(labels[0])
truth = igteach.exact_integrated_gradients(exact_model, first, 0.0, label)
explore.steps_explorer(igteach.logit(exact_model), first, 0.0, label, truth)

# %%
reader = igteach.logit(exact_model)
four = igteach.integrated_gradients(reader, first, 0.0, label, steps=4, rule="midpoint")
residual = show.rounded(100 * four.relative_residual[0], 1)
off = show.rounded(100 * error(four.values, truth.values)[0], 1)
print(f"4 midpoint steps: the residual is {residual:g} %, the error {off:g} %")

# %% [markdown]
# Four midpoint steps are a choice with a small residual and a large error.
#
# ## How many steps?
#
# Sundararajan, Taly and Yan (2017) advise 20 to 300, enough to bring the sum of the shares within 5% of F(x) - F(x'). Try both ends of that range on the network above, and on the flat network of lesson 02.

# %%
many = data.x_test[:100].to(device)
networks = {"ReLU network": model, "flat network": digits.load_flat()}
for name, network in networks.items():
    chosen = network(many).argmax(dim=1)
    sure = igteach.probability(network)
    for steps in (20, 300):
        answer = igteach.integrated_gradients(sure, many, target=chosen, steps=steps)
        worst = show.rounded(100 * answer.relative_residual.max(), 2)
        print(f"{name}, {steps:3d} steps: the largest residual is {worst:g} %")

# %% [markdown]
# Twenty steps are enough for one network and far too few for the other; 300 are enough for both.

# %% [markdown] tags=["slide"]
# ## The residual is not the error
#
# Here is a digit for which 8 steps seem to be enough, on the flat network.

# %% tags=["slide-goes-on"]
flat = igteach.probability(digits.load_flat())
hard = data.x_test[239:240].to(device)
hard_label = int(flat(hard).argmax())
few = igteach.integrated_gradients(flat, hard, target=hard_label, steps=8)
dense = igteach.integrated_gradients(flat, hard, target=hard_label, steps=1024)
residual = show.rounded(100 * few.relative_residual[0], 2)
print(f"the residual of 8 steps: {residual:g} %")

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** The shares add up almost perfectly. How far off are they: less than 1%, about 5%, more than 25%?

# %% tags=["slide"]
off = show.rounded(100 * error(few.values, dense.values)[0], 2)
print(f"the error of the shares: {off:g} %")

# %% tags=["slide-goes-on"]
maps = {"8 steps": few.values[0, 0], "1024 steps": dense.values[0, 0]}
show.heatmaps(maps, picture=hard[0, 0])

# %% [markdown] tags=["slide-goes-on"]
# More than 25%, by far: errors of opposite signs have cancelled in the sum. **A large residual proves an answer wrong, a small one proves nothing.** To know the error you need the truth, or a good estimate. We get both, the truth first.

# %% [markdown] tags=["slide"]
# ## No integration at all
#
# Between two jumps the gradient of a ReLU network is constant. So find the jumps, and take one gradient in each piece: the sum is *exact*.
#
# A jump happens where a unit switches on or off: a **kink**. Take one layer. A unit computes w · x + b before its ReLU. On the straight path this is a straight line in α,
#
# $$w \cdot \bigl(x' + \alpha\,(x - x')\bigr) + b \;=\; (w \cdot x' + b) + \alpha\; w \cdot (x - x') ,$$
#
# and a straight line passes through 0 at most once.

# %% [markdown]
# ### Exercise 2: kinks
#
# ●●○ · 10 minutes
#
# Find the alphas, strictly between 0 and 1, at which a unit of a layer passes through 0. Sort them. You may assume that no unit stays at 0.
#
# <details><summary>Hint 1</summary>
#
# Set the line above to 0 and solve for alpha, for each unit.
#
# <details><summary>Hint 2</summary>
#
# <code>weight @ baseline + bias</code> holds one number per unit, and so does <code>weight @ (x - baseline)</code>.
#
# <details><summary>Hint 3</summary>
#
# A mask keeps what you want: <code>alphas[(alphas > 0) & (alphas < 1)]</code>. <code>sort()</code> returns values and indices.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-05-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kinks(weight, bias, x, baseline):
    """The alphas where a unit of the layer weight @ x + bias passes through 0.

    weight: (units, features);  bias: (units,);  x, baseline: (features,).
    Returns (kinks,), ascending, inside (0, 1).
    """
    ### BEGIN SOLUTION
    alphas = -(weight @ baseline + bias) / (weight @ (x - baseline))
    return alphas[(alphas > 0) & (alphas < 1)].sort().values
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("05.2", kinks)

# %% [markdown]
# ### Exercise 3: exact shares
#
# ●●○ · 10 minutes
#
# Now compute the shares of a network with one hidden layer, given its kinks. They cut the path into pieces. Take the gradient at the midpoint of each piece, times the length of the piece.
#
# <details><summary>Hint 1</summary>
#
# The first piece begins at 0, and the last ends at 1: put both around the kinks with <code>torch.cat</code>.
#
# <details><summary>Hint 2</summary>
#
# <code>ends.diff()</code> gives the lengths, <code>(ends[1:] + ends[:-1]) / 2</code> the midpoints.
#
# <details><summary>Hint 3</summary>
#
# <code>lengths @ gradients</code> adds up length times gradient. What else belongs to a share?
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-05-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exact_shares(f, x, baseline, alphas):
    """Integrated Gradients of a function that is linear between its kinks.

    f: (N, features) -> (N,);  x, baseline: (1, features);  alphas: (kinks,), ascending.
    Returns (1, features).
    """
    ### BEGIN SOLUTION
    ends = torch.cat([torch.zeros(1).to(alphas), alphas, torch.ones(1).to(alphas)])
    middles, lengths = (ends[1:] + ends[:-1]) / 2, ends.diff()
    points = baseline + middles[:, None] * (x - baseline)
    return (x - baseline) * (lengths @ igteach.gradient(f, points).values)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-3", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("05.3", exact_shares)

# %% [markdown]
# ## Layer by layer
#
# In a deep network the kinks of the first layer cut the path into pieces, and on each piece every input of the second layer is again a straight line in α. Find that layer's kinks piece by piece, cut again, and go on to the third layer (Sotoudeh and Thakur 2019). `igteach.exact_integrated_gradients` does that. Max pooling is no obstacle: it has a kink where another pixel becomes the largest, again a crossing of two straight lines.
#
# **Predict.** Three convolutions, each followed by ReLUs: 2,560 ReLUs in all. Into how many pieces do they cut the path from black to one digit?

# %%
one, its_label = pictures[3:4].cpu(), int(labels[3])
pieces = exact.evaluations
print("pieces on the path of this digit, roughly:", show.rounded(pieces[3], 1))
extremes = [pieces.min(), pieces.max()]
print("fewest and most, of the 24 digits, roughly:", show.rounded(extremes, 1))
left_over = exact.relative_residual.max()
print(f"the largest residual, as a fraction of the whole: {left_over:.10f}")

# %% [markdown]
# About a thousand pieces, fewer than there are ReLUs: many units never switch between black and this digit.
#
# Here is what the rules had to integrate, the slope dF/dα, on about a thirtieth of the path.

# %%
ends = exact.pieces[3]
middles = (ends[1:] + ends[:-1]) / 2
points = middles.view(-1, 1, 1, 1) * one.double()
in_doubles = digits.load("cpu").double()
gradients = igteach.gradient(in_doubles, points, target=its_label).values
slope = (gradients * one).flatten(1).sum(1)


inside = (ends[:-1] >= 0.3) & (ends[1:] <= 0.33)
corners = torch.stack([ends[:-1][inside], ends[1:][inside]], dim=1).flatten()
heights = slope[inside].repeat_interleave(2)
show.curves(
    corners, {"dF/dα": heights}, xlabel="α", ylabel="slope of F along the path"
)

# %% [markdown]
# A staircase. Sixty-four nodes land on at most sixty-four of its flat pieces.
#
# Not every slope is a staircase. The flat network has tanh units, which bend everywhere. Ask for its exact shares, and then for those of a probability:

# %%
for f in (digits.load_flat("cpu"), igteach.probability(exact_model)):
    try:
        igteach.exact_integrated_gradients(f, one, target=its_label)
    except TypeError as refusal:
        print("igteach:", refusal)

# %% [markdown]
# The message lists what exact shares allow: affine and piecewise linear layers, in one chain. A skip connection is piecewise linear, too, but not a chain, and this implementation refuses it. Everything else needs a rule, and an estimate of its error.
#
# ## The bug gallery
#
# Wrong shares also come from wrong code. Five people wrote Integrated Gradients, and none of their code raises an error. Read it.

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


def fred(f, x, baseline):
    average = slopes(f, x, baseline, middle).mean(dim=0)
    return ((x - baseline) * average).transpose(-1, -2)


# %% [markdown]
# We try each on two functions. One is a *linear* F, on which every rule is exact: any residual at all means a bug. The other is the network, on a digit against a grey picture, where 50 steps leave a small residual even without a bug.
#
# **Predict.** Find the five bugs. Then say which of them the residual catches: on the linear F, and on the network, where we accept a residual of up to 5%.

# %%
digit, label = pictures[3:4], int(labels[3])
grey = torch.full_like(digit, 0.5)
weights = torch.linspace(-1, 2, 64, device=device)


def linear(batch):
    return batch.flatten(1) @ weights


def network(batch):
    return model(batch)[:, label]


def handed_out(method, f):
    """The sum of the shares, as a fraction of F(x) - F(x')."""
    return (method(f, digit, grey).sum() / (f(digit) - f(grey))[0]).detach()


print("        on the linear F      on the network")
print("        hands out  caught    hands out  caught")
for method in (anna, ben, chloe, dario, fred):
    on_linear, on_network = handed_out(method, linear), handed_out(method, network)
    caught = bool((on_linear - 1).abs() > 0.001), bool((on_network - 1).abs() > 0.05)
    print(
        f"{method.__name__:6s}  {show.rounded(on_linear):9g}  {caught[0]!s:6s}    "
        f"{show.rounded(on_network, 2):9g}  {caught[1]}"
    )

# %% [markdown]
# - **Anna** differentiates with respect to x, not to the points on the path. By the chain rule each of her gradients carries a factor α that does not belong there. On a linear F she distributes only a fraction of the whole: the average of α.
# - **Ben** has n points and divides by n. His trapezoid's weights add up to (n - 1) / n.
# - **Chloe** divides by the right number, n - 1, but gives the first and the last point full weight instead of half. Her weights add up to n / (n - 1).
# - **Dario** forgot x - x'.
# - **Fred** swaps rows and columns, as when two libraries disagree about the order of axes.
#
# On the network, Ben's and Chloe's bugs hide behind the error of the rule. On a linear F there is none to hide behind. So **test an implementation on a linear function first**.
#
# And Fred passes everywhere. He gives the right shares to the wrong pixels.

# %%
truth = igteach.exact_integrated_gradients(exact_model, digit.cpu(), grey.cpu(), label)
true_shares = truth.values
freds = fred(network, digit, grey).detach()
show.heatmaps({"exact": true_shares[0, 0], "Fred": freds[0, 0]}, picture=digit[0, 0])

# %%
in_all = handed_out(fred, network)
off = error(freds, true_shares)[0]
known = weights.view(1, 1, 8, 8) * (digit - grey)
off_linear = error(fred(linear, digit, grey), known)[0]
print("the sum of Fred's shares, over F(x) - F(x'):  ", show.rounded(in_all, 2))
print("the error of his shares:                      ", show.rounded(off, 2))
print("on the linear F, whose shares we know:        ", show.rounded(off_linear, 2))

# %% [markdown]
# Moving shares around does not change their sum. On a linear F you know every share, weight times displacement: compare them one by one, and Fred is caught as well.
#
# ## Two bugs outside the code
#
# Pictures come as bytes, and a network is in train mode until somebody calls `eval()`. **Predict.** What is 0 - 8 in unsigned bytes? With dropout on, how do ten runs of one explanation differ?

# %%
layers = list(exact_model)
shaky = nn.Sequential(*layers[:-1], nn.Dropout(0.5), layers[-1]).train()


def in_train_mode(batch):
    return shaky(batch)[:, label]


torch.manual_seed(0)
fractions = []
start, end = grey.cpu(), digit.cpu()
for _ in range(10):
    shares = (end - start) * slopes(in_train_mode, end, start, middle.cpu()).mean(dim=0)
    gained = (in_train_mode(end) - in_train_mode(start))[0]
    fractions.append((shares.sum() / gained).detach())
print("0 - 8 =", int(torch.zeros(1, dtype=torch.uint8) - 8))
residuals = (torch.stack(fractions) - 1).abs()
print("different answers in ten runs:", len(set(show.rounded(fractions))))
print("a residual over 5% in at least five:", int((residuals > 0.05).sum()) >= 5)

scan = (16 * digit).to(torch.uint8)
for f, picture_of_it, target in ((network, scan, None), (shaky, end, label)):
    try:
        igteach.integrated_gradients(f, picture_of_it, target=target)
    except (TypeError, ValueError) as refusal:
        print("igteach:", refusal)

# %% [markdown]
# In bytes, a negative x - x' wraps around: a pixel that is darker than in the baseline is treated as far brighter. With dropout on, every call drops different units, so the gradients and F(x) - F(x') come from different networks. The package refuses both.
#
# ## Equal steps waste gradients
#
# Where exact shares are refused, gradients must be well spent. Here is F along the path of the digit that fooled us, on the flat network. (An answer keeps these numbers as `path_values`.)
#
# **Predict.** You may place 25 nodes. Where would you put them?

# %%
alphas, f_there = dense.path_values[0]
show.curves(alphas, {"F": f_there}, xlabel="α", ylabel="probability")

# %% [markdown]
# F rises early, but equal steps look just as often where nothing happens. Nobody knows beforehand where F moves, and nobody needs to: look in a few places, and look again where neighbours disagree.

# %% [markdown] tags=["slide"]
# ## Cut where the gradient differs
#
# Begin with nine **cells**, each with a node in the middle. Write g_k for gradient times x - x' at node k, and w_k for the width of its cell. A cell needs a cut if it is wide and its g differs from its neighbours':
#
# $$\text{need}_k \;=\; w_k \bigl( \lVert g_k - g_{k-1} \rVert_1 + \lVert g_{k+1} - g_k \rVert_1 \bigr) .$$
#
# Cut the neediest cell in three: its node stays in the middle, and no gradient is thrown away. Then ask again.


# %% tags=["slide-goes-on"]
def cut_cells(f, x, baseline, cuts):
    """Nodes and widths of cells: nine, then the neediest is cut in three, and so on."""
    nodes = (torch.arange(9, device=device) + 0.5) / 9
    widths = torch.full_like(nodes, 1 / 9)
    for _ in range(cuts):
        g = (x - baseline) * slopes(f, x, baseline, nodes.view(-1, 1, 1, 1))
        apart = g.flatten(1).diff(dim=0).abs().sum(dim=1)
        on_the_left = nn.functional.pad(apart, (1, 0))
        on_the_right = nn.functional.pad(apart, (0, 1))
        need = widths * (on_the_left + on_the_right)
        k = int(need.argmax())
        third = widths[k : k + 1] / 3
        three = torch.cat([nodes[k] - third, nodes[k : k + 1], nodes[k] + third])
        nodes = torch.cat([nodes[:k], three, nodes[k + 1 :]])
        widths = torch.cat([widths[:k], third, third, third, widths[k + 1 :]])
    return nodes, widths


def chance(batch):
    return flat(batch)[:, hard_label]


black = torch.zeros_like(hard)
nodes, widths = cut_cells(chance, hard, black, cuts=8)
g = hard * slopes(chance, hard, black, nodes.view(-1, 1, 1, 1))
by_cuts = torch.einsum("k,k...->...", widths, g)[None]
equal = igteach.integrated_gradients(flat, hard, black, hard_label, steps=25)
off_equal = error(equal.values, dense.values)[0]
off_cuts = error(by_cuts, dense.values)[0]
print("25 equal steps are off by         ", show.rounded(off_equal, 2))
print("eight cuts, with as many nodes, by", show.rounded(off_cuts, 1))
print("of its 25 nodes, in the first fifth of the path:", int((nodes < 0.2).sum()))

# %% [markdown]
# Most of the nodes went to where F moves, and with as many gradients the error is about a tenth of that of equal steps.
#
# Now make the cuts yourself, one at a time: on this F, on 1 - ReLU(1 - x), and on a steep sigmoid. Which cell is next, and why that one? On which of the three do equal steps catch up?

# %% tags=["nbval-ignore-output"]
explore.cuts_explorer(flat, hard, black, hard_label)

# %% [markdown]
# On 1 - ReLU(1 - x) every second cut divides the error by three. The jump of g lies between the nodes of two neighbouring cells, and cuts alternate between the two; but only the cuts to the cell that contains the kink help. To divide the error by three, equal steps have to be three times as many. On the sigmoid and on this F equal steps do catch up, but later: once they are dense everywhere, they are dense where F moves.
#
# Cutting where g differs is what `igteach.integrated_gradients` does if you give no number of steps. It also cuts several cells at a time. And where our version adds up width times g, the package integrates a parabola through the node and its two neighbours.
#
# Next, a hundred digits on the flat network; errors below 1e-5 are drawn at 1e-5.
#
# **Predict.** This network is smooth (its units are tanh). Will the textbook's rule make a comeback, and where?


# %%
def with_cuts(f, x, target, gradients):
    """Cells are cut until the gradients are spent, whatever the error."""
    return igteach.integrated_gradients(
        f, x, target=target, tolerance=1e-9, max_evaluations=gradients
    )


labels_flat = flat(many).argmax(dim=1)
truth = igteach.integrated_gradients(
    flat, many, target=labels_flat, steps=256, rule="gauss_legendre"
).values
counts = [9, 17, 33, 65, 129]
flat_errors = errors_of(("midpoint", "gauss_legendre"), flat, many, labels_flat, truth)
cut = [with_cuts(flat, many, labels_flat, n).values for n in counts]
medians = [error(values, truth).median() for values in cut]
flat_errors["cut where it differs"] = torch.stack(medians)
show.curves(
    counts,
    {rule: errors.clamp(min=1e-5) for rule, errors in flat_errors.items()},
    xlabel="gradients",
    ylabel="error of the shares, median",
    logarithmic=True,
)

# %%
midpoint, gauss, by_need = [e.clamp(min=1e-5) for e in flat_errors.values()]
print("17 gradients, midpoint:      ", show.rounded(midpoint[1], 1))
print("              cutting:       ", show.rounded(by_need[1], 1))
print("65 gradients, cutting:       ", show.rounded(by_need[3], 1))
print("              gauss_legendre:", show.rounded(gauss[3], 1), "or less")
on_relu = error(with_cuts(score, pictures, labels, 65).values, exact.values).median()
ratio = on_relu / network_errors["midpoint"][5]
print("ReLU network, 65 gradients: cutting over midpoint:", show.rounded(ratio, 1))

# %% [markdown]
# With 17 gradients, cutting beats midpoint by far. With many, Gauss-Legendre overtakes it, because this network is smooth. On the ReLU network, with kinks all along the path, cutting is level with midpoint. No rule is best for all functions. But each answer can have an error estimate.
#
# ## What the estimate cannot see
#
# Where g differs between two nodes, a kink may hide between them, and the integral may be off by about the difference times the distance between the nodes. The package combines these products over all pairs of neighbouring nodes (the exact formula does not matter here) and divides by the sum of all |shares|. The result is `error_estimate`, a guess at the error of the shares.
#
# **Predict.** What will it say about the two answers that fooled us: the lucky 50 nodes at the start, and the 8 steps whose residual was so small?

# %%
f = igteach.toy(lambda x: 1 - torch.relu(1 - x))
lucky = igteach.integrated_gradients(f, x, steps=50, rule="gauss_legendre")
estimates = lucky.error_estimate[0], few.error_estimate[0]
print(f"50 lucky nodes: the estimate is {show.rounded(100 * estimates[0], 2):g} %")
print(f"8 steps:        the estimate is {show.rounded(100 * estimates[1], 2):g} %")
print("the verdict on the 8 steps:", few.verdict)

# %% [markdown]
# It calls neither exact, and doubts the 8 steps more. Even so, it is too kind to the 8 steps: their error was larger. Can it be fooled altogether? Let s be a steep step at 0.53, and F(u, v) = u + s(u) - s(v), from (0, 0) to (1, 1). Each step is worth 1, so the shares are 2 and -1.
#
# **Predict.** Nine cells, nodes at 1/18, 3/18 and so on. What will they see of the steps? What will the answer say about itself?


# %%
def step(z):
    return torch.sigmoid(2000 * (z - 0.53))


hidden = igteach.toy(lambda u, v: u + step(u) - step(v))
corner = torch.ones(1, 2, dtype=torch.float64)
for name, tolerance in {"5%": 0.05, "0.1%": 0.001}.items():
    fooled = igteach.integrated_gradients(hidden, corner, tolerance=tolerance)
    shares, reached = show.rounded(fooled.values[0], 2), bool(fooled.converged)
    print(
        f"tolerance {name:4s}  shares {shares}  reached: {reached}  "
        f"verdict: {fooled.verdict}"
    )

# %% [markdown]
# They see nothing: both steps lie between two nodes, and at every node the gradient is (1, 0). One step cancels the other in F, so there is no residual either, and the answer calls itself complete. What leaves no trace at the nodes **cannot be known from the nodes**, by any estimate. The residual knows more than the nodes: it uses F(x) and F(x') too. A hidden step shows in the residual, unless another cancels it, and the estimate includes the residual. If much depends on an answer, ask twice, at different nodes:

# %%
again = igteach.integrated_gradients(hidden, corner, steps=997)
print("997 steps: shares", show.rounded(again.values[0], 1))

# %% [markdown]
# ## Ask for a tolerance
#
# Say how large an error you accept, and let the package place the gradients, separately for each example. The default tolerance is 5%. Here it is 1%, for the twenty-four digits whose exact shares we know.

# %%
answer = igteach.integrated_gradients(score, pictures, target=labels, tolerance=0.01)
true_errors = error(answer.values, exact.values)
estimates = answer.error_estimate.cpu()

times = estimates / true_errors
print("converged:", int(answer.converged.sum()), "of", len(pictures))
print(f"the largest true error: {true_errors.max():.1%}")
print("estimate / true error, smallest:", show.rounded(times.min(), 2))
print("                       median:  ", show.rounded(times.median(), 2))

# %% [markdown]
# If the tolerance cannot be reached with the gradients you allow, the answer says so.

# %%
strict = igteach.integrated_gradients(
    score, pictures, target=labels, tolerance=0.001, max_evaluations=256
)
print("converged:", int(strict.converged.sum()), "of", len(pictures))

# %% [markdown]
# ### Exercise 4: three answers and no truth
#
# ●●○ · 7 minutes
#
# A colleague's program takes a number of steps and nothing else. It does not say which rule it uses, and it estimates no error. You run it with n, 2n and 4n steps. Suppose that each doubling divides the error of every share by the same number r, which nobody tells you. How far is the last answer from the truth?
#
# <details><summary>Hint 1</summary>
#
# If the first answer has the errors e, the second has e / r. By how much do the two answers differ? And the second and the third?
#
# <details><summary>Hint 2</summary>
#
# You can measure how far the shares moved at each doubling. What does the first distance over the second tell you?
#
# <details><summary>Hint 3</summary>
#
# Try one share whose truth is 10. With r = 2 the answers may be 18, 14 and 12; with r = 3 they may be 28, 16 and 12. Each time the last one is off by 2. How do you get this 2 from the changes alone?
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-05-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def remaining_error(coarse, middle, fine):
    """The sum of the absolute errors of the last of three answers.

    coarse, middle, fine: the shares with n, 2n and 4n steps, tensors of one shape.
    Returns one number.
    """
    ### BEGIN SOLUTION
    last = (fine - middle).abs().sum()
    factor = (middle - coarse).abs().sum() / last
    return last / (factor - 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-05-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.4", remaining_error)

# %% [markdown]
# The estimate is only as good as your assumption about r. And agreement proves nothing: two answers that both missed the same jump agree with each other, too.
#
# ## Recap
#
# From [lesson 04](04_integrated_gradients.ipynb): the paths with and without a corner gave x1 x2 + x3 different shares, and both had a residual of zero. Is one of them a bug?
#
# <details><summary>Answer</summary>
#
# No. Both are right, each for its own path, and completeness holds for every path. That is one more thing a residual does not see: which path was walked.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Your shares for a ReLU network have an error of 4% with 50 midpoint steps. How many steps for 1%?
#
# <details><summary>A. About 100: midpoint's error falls like 1/n².</summary>
#
# On smooth functions it does. The gradient of a ReLU network jumps, and there the error of every rule falls like 1/n.
#
# </details>
# <details><summary>B. 50, with Gauss-Legendre.</summary>
#
# Its advantage is for smooth functions. On jumps it was no better than midpoint.
#
# </details>
# <details><summary>C. About 200.</summary>
#
# Right. A quarter of the error takes four times the steps.
#
# </details>

# %% [markdown]
# **Question 2.** An implementation has a residual of 2% on a network with 50 steps, and 2% on a linear function, too. What do you do?
#
# <details><summary>A. Look for a bug.</summary>
#
# Right. On a linear function every rule is exact, so either the weights do not add up to 1, or something else is off by 2%.
#
# </details>
# <details><summary>B. Take more steps.</summary>
#
# On the network that may help. But a linear function needs only one step, and nothing excuses a residual there.
#
# </details>

# %% [markdown]
# **Question 3.** The residual is zero, on a linear function and on the network. Which bug is still possible?
#
# <details><summary>A. x - x' was forgotten.</summary>
#
# Then average slopes are added up, and only by chance do they give F(x) - F(x').
#
# </details>
# <details><summary>B. The shares are shown on the wrong pixels.</summary>
#
# Right. Moving shares around does not change their sum. Compare single shares on a linear function, where you know them.
#
# </details>
# <details><summary>C. The network was in train mode.</summary>
#
# Then the gradients come from other networks than F(x) and F(x') do, and the sum is off at random, differently in every run.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("05")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. On smooth functions clever rules win. On ReLU networks the error of every rule falls like 1/n; between their kinks such networks are linear, and shares can be exact.
# 2. A large residual proves an answer wrong. A small one proves nothing: errors cancel in it, and shares can sit on the wrong pixels.
# 3. Test code on a linear function, share by share. Name a tolerance instead of a number of steps; and remember that no estimate sees what lies between its nodes.
#
# **Where it comes from.** 20 to 300 steps for 5%: Sundararajan, Taly and Yan (2017). Exact shares from the linear pieces: Sotoudeh and Thakur (2019), whose abstract puts the relative error of earlier heuristics at 25 to 45%. Uneven steps: Bhat and Raychowdhury (2023); Swain and Singhi (2024). Cutting where the integrand is worst: the adaptive quadrature of QUADPACK, Piessens, de Doncker-Kapenga, Überhuber and Kahaner (1983).
#
# **What is next.** [Lesson 06](06_axioms.ipynb): what else you may demand of an attribution, besides adding up.
