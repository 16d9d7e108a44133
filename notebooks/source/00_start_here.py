# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 00 · Start here
#
# **The question.** A network looks at a picture and says what it is. Which pixels made it say so?
#
# **You will be able to**
# - read an attribution: a share for each pixel, and the residual that says whether the shares add up;
# - say in one sentence what the gradient does wrong, and in another what Integrated Gradients does instead;
# - work with the checks and hints of this course.
#
# **You need** a first course in PyTorch. [Lesson 01](01_naive_gradients.ipynb) starts the subject properly; this one shows where it goes.
#
# **Time.** 35 minutes, exercises included. The first half runs through the whole idea in ten minutes.
#
# **GPU.** It changes nothing here; the networks are small.

# %%
import torch

import igteach
from igteach import explore, show
from igteach.datasets import load_digits, load_photograph
from igteach.exercises import check
from igteach.models import digits, imagenet

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## A photograph, and an answer
#
# Two photographs: a man with a camera, and Greek coins from Pompeii. A network that has learnt to tell a thousand things apart looks at both.

# %% tags=["slide-goes-on"]
network = imagenet.load()
photographs = {
    name: imagenet.preprocess(load_photograph(name))[None].to(device)
    for name in ("camera", "coins")
}
for name, photograph in photographs.items():
    answers = imagenet.top(network(photograph), k=3)
    named = [f"{label} {show.rounded(p, 2)}" for label, p in answers]
    print(f"{name}:", "  ".join(named))

# %% [markdown]
# The man is on a lawn, behind a camera on three legs. The thousand things include no photographer, but they do include a tripod, and the network is almost sure of it. They include no coin either. Whatever the network says of the coins is wrong; it answers all the same, though it is not sure.

# %% [markdown] tags=["slide-goes-on"]
# Why a tripod? The nearest thing to a reason that autograd offers is the gradient of the answer's probability with respect to the pixels: the right-hand map below.

# %% tags=["slide-goes-on"]
man = photographs["camera"]
tripod = int(network(man).argmax())
called = imagenet.class_names()[tripod]
man_slope = igteach.gradient(igteach.probability(network), man, target=tripod)
show.attributions(imagenet.picture(man)[0], {f"gradient of P({called})": man_slope})

# %% [markdown]
# Does the map tell you why? It shows orange and blue specks, in about equal measure, over the camera, the man and the sky.
#
# The gradient is everybody's first idea, and this course begins where it fails. The man returns at the end of this lesson and in later ones; the coins return in lessons 08 and 12.
# First, the whole idea on a picture small enough to show every pixel.

# %% [markdown] tags=["slide"]
# ## A digit, and a sure answer
#
# Real handwriting, scanned and reduced to 8 by 8 pixels. Ink is bright. The network for these digits has never seen this one.

# %% tags=["slide-goes-on"]
model = digits.load()
data = load_digits()
picture = data.x_test[3:4].to(device)

show.heatmaps({"a digit, 8 by 8 pixels": picture[0, 0]}, kind="picture")

# %%
score = igteach.probability(model)
probability, label = score(picture)[0].max(dim=0)

print("the network says", int(label))
print("its probability of that:", show.rounded(probability, 2))

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** Which strokes make it this digit and no other? Choose two or three pixels that you would point to, and remember them.

# %% [markdown] tags=["slide"]
# ## The first idea: the gradient
#
# The score, the probability of that answer, is a function F of 64 numbers. Autograd tells you how fast F changes as a pixel gets brighter. A fast change ought to mean an important pixel, so let us draw it.

# %% tags=["slide-goes-on"]
slope = igteach.gradient(score, picture, target=int(label))
show.heatmaps(
    {f"gradient of P({label})": slope.values[0, 0]},
    picture=picture[0, 0],
    unit=f"change of P({label}) per unit of ink",
)

# %% [markdown]
# Orange is positive, blue and hatched is negative, and no colour means zero. Did it point to your pixels?
#
# Its two strongest are neighbours at the foot of the digit, and one of them holds no ink at all. The gradient asks *what if this pixel were a little brighter?*
# That is a question about other pictures, close to this one. We asked about this one.

# %% [markdown] tags=["slide"]
# ## The second idea: walk there
#
# Begin with a black picture x', the **baseline**. The network was trained to have no opinion of it: about one chance in ten for each digit. Now turn the ink up, step by step, until you reach the picture x. Along the path the score climbs from F(x') to F(x).
# At each step, a pixel contributes its slope *there* times the ink it gained *there*. Add these up along the path:
#
# $$\mathrm{IG}_i \;=\; (x_i - x'_i) \int_0^1 \frac{\partial F}{\partial x_i}\bigl(x' + \alpha\,(x - x')\bigr)\, d\alpha .$$
#
# This is **Integrated Gradients**, IG for short (Sundararajan, Taly and Yan 2017). Here it is in five lines, with 64 steps. Beside its map is another in the same unit: the gradient at the picture, times the ink.

# %% tags=["slide"]
black = torch.zeros_like(picture)
alphas = (torch.arange(64, device=device) + 0.5) / 64
path = (black + alphas.view(-1, 1, 1, 1) * (picture - black)).requires_grad_()
slopes = torch.autograd.grad(score(path)[:, label].sum(), path)[0]
shares = (picture - black) * slopes.mean(dim=0)

one_step = slope.values * (picture - black)
show.heatmaps(
    {"gradient x ink": one_step[0, 0], "IG from black": shares[0, 0]},
    picture=picture[0, 0],
    unit=f"share of F, the probability of {label}",
)

# %% [markdown] tags=["slide-goes-on"]
# Both maps share one scale, and gradient x ink is faint. At the end of the path the network is sure of itself, and a nudge hardly moves it. The score was made earlier, along the path, and that is what the right-hand map adds up.

# %% [markdown]
# Where there is no ink there is no share: what is black in the picture is white in the map. The orange pixels spoke for this digit, the blue ones against it. Are yours orange? The strongest lie where the bar crosses the stem, and the foot counts against. If you chose the stroke at the top, the network makes less of it than you do.

# %% [markdown] tags=["slide"]
# ## Shares that add up
#
# A map can please and still be wrong, so ask for evidence. The shares of all pixels must add up to what the picture gained over the black one, F(x) - F(x'). This is called **completeness**. Their sum minus that gain is the **residual**. From here on the package does the five lines for us.

# %% tags=["slide-goes-on"]
attribution = igteach.integrated_gradients(
    score, picture, black, target=int(label), steps=64
)
total = attribution.values.sum()
gained = (attribution.f_input - attribution.f_baseline)[0]

apart = (shares - attribution.values).abs().max()
print("F gained", show.rounded(gained, 2))
print("the shares add up to", show.rounded(total, 2))
print("gradient x ink adds up to", show.rounded(one_step.sum(), 1))
print(f"largest difference of a share from the package's: {apart:.4f}")

# %% tags=["nbval-ignore-output"]
attribution

# %% [markdown]
# Every attribution from this package prints like that: first the residual, which is the error of the *sum*, then an estimate of the error of the *single shares* (lesson 05). The last digits differ from one computer to another.
#
# So the shares account for the whole gain. Gradient x ink leaves most of it out. For the sum, a residual of one or two percent of the gain is harmless; one of ten percent is not. This course draws the line at 5%.
#
# ## Draw your own
#
# Draw a digit of your own: with the mouse, with a finger, or with the keyboard, where the arrows move and the space bar inks. The network and its Integrated Gradients run inside this figure, at every stroke.
# Can you draw one that the network gets wrong? Then choose the digit you meant under *explain*, and look for the ink that speaks against it.

# %%
explore.draw_digit(model, picture)

# %% [markdown]
# Whatever you draw, the residual stays small: on this network 64 steps are enough for the sum.

# %% [markdown] tags=["slide"]
# ## Does it point to what matters?
#
# Shares can add up and still point to the wrong pixels. So test them: black out the 8 pixels that a map ranks highest, and see how much of the score is left. We do so for all 360 digits that the network has not seen, with four rankings of the inked pixels. One knows nothing of the network: it takes the pixels with the most ink.
#
# **Predict.** Which ranking leaves the least?

# %% tags=["slide"]
pictures = data.x_test.to(device)
labels = model(pictures).argmax(dim=1)
gradients = igteach.gradient(score, pictures, target=labels).values
rankings = {
    "IG": igteach.integrated_gradients(score, pictures, black, target=labels).values,
    "gradient": gradients.masked_fill(pictures == 0, -torch.inf),
    "|gradient|": gradients.abs() * (pictures > 0),
    "most ink": pictures,
}

left = {}
for name, ranking in rankings.items():
    strongest = ranking.flatten(1).argsort(descending=True, stable=True)[:, :8]
    painted = pictures.flatten(1).scatter(1, strongest, 0.0).view_as(pictures)
    left[name] = score(painted).gather(1, labels[:, None]).mean().item()
title = f"the 8 top-ranked pixels blacked out, mean over {len(pictures)} digits"
show.bars(list(left), {title: list(left.values())}, ylabel="probability left")

# %% tags=["slide-goes-on"]
print("from most to least left:", ", ".join(sorted(left, key=left.get, reverse=True)))

# %% [markdown]
# Integrated Gradients leaves the least. The gradient comes next, if its sign is kept. Usually it is drawn without its sign. Without the sign, the ranking also removes pixels that spoke *against* the answer, and it does worse than the ranking by most ink, which never saw the network. Lesson 12 asks how far such a test can be trusted.
#
# ## Back to the photograph
#
# The same method on the photograph, from a black picture.

# %% tags=["nbval-ignore-output"]
black_photograph = imagenet.normalise(torch.zeros_like(man))
man_shares = igteach.integrated_gradients(
    igteach.probability(network), man, black_photograph, tripod, steps=64, progress=True
)

# %%
show.attributions(
    imagenet.picture(man)[0], {f"IG for {called}, from black": man_shares}, smooth=3
)

# %%
man_gained = (man_shares.f_input - man_shares.f_baseline)[0]
in_all, strength = man_shares.values.sum(), man_shares.values.abs().sum()
print("F gained", show.rounded(man_gained))
print("the shares add up to", show.rounded(in_all / man_gained, 2), "of that")
times = int(show.rounded(strength / man_gained, 2))
print("their absolute values add up to", times, "times that")

# %% [markdown]
# Orange places spoke for the tripod, blue ones against it, and the shares add up to about F's gain. But the title over the map warns that single shares are still off: 64 steps were enough for the sum and too few for its terms. Lesson 05 is about such warnings.
#
# And read the last line. Neighbouring pixels contradict one another, and nearly everything they say cancels. Smoothed over three pixels, the map shows the little that remains, and looks patchy. Lesson 08 asks what can be read from it, and whether these places made the answer.
#
# Look at the man's coat, too. It is nearly black, and the baseline is black, so it gets hardly any share. Lesson 07 is about that.
#
# ## How a lesson works
#
# Lessons have exercises. You write a function, run its cell, and run the check below it. The check answers at once: **solved**, **open** (nothing written yet), or **not yet** and what went wrong. It never gives the answer away. Nothing later depends on your answer, so you can always go on. (The exercise numbers have gaps, and some are out of order: the number of a replaced exercise is not used again.)
#
# Here is a wrong answer to exercise 1, to show you how a check speaks.


# %%
def forgetful(f, x, baseline):
    return f(x)[0]


check("00.1", forgetful)

# %% [markdown]
# Hints unfold one at a time. Try first. If they are not enough, run `from igteach.exercises import hint`; then each call of `hint("00.2")` gives one more hint, and after the last, the solution.
#
# Each lesson ends by showing which of its exercises you have solved. That is kept in `progress.json` beside your copies of the lessons, for you alone, and is sent nowhere.
#
# `igteach.device()` picks a GPU if there is one. To overrule it, set the environment variable `IGTEACH_DEVICE` to `cpu`.

# %% [markdown]
# ### Exercise 1: what there is to share
#
# ●○○ · 2 minutes
#
# Every attribution distributes one number: what the input gained over the baseline. Return it.
#
# <details><summary>Hint 1</summary>
#
# <code>f</code> takes a batch and returns one number per row. Here the batch is one row, so <code>f(x)[0]</code> is its number.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "answer-00-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_share(f, x, baseline):
    """F(x) - F(x').

    f: (N, features) -> (N,);  x, baseline: (1, features).  Returns one number.
    """
    ### BEGIN SOLUTION
    return (f(x) - f(baseline))[0]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-1", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("00.1", to_share)

# %% [markdown]
# ### Exercise 2: the residual
#
# ●○○ · 3 minutes
#
# Return the number that says whether an attribution adds up. It is positive if the shares add up to too much.
#
# <details><summary>Hint 1</summary>
#
# Add up all the values, whatever their shape.
#
# <details><summary>Hint 2</summary>
#
# Compare the sum with exercise 1.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-00-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def residual(values, f_input, f_baseline):
    """By how much the sum of the values exceeds F(x) - F(x').

    values: tensor of any shape;  f_input, f_baseline: F(x) and F(x'), two numbers.
    Returns one number.
    """
    ### BEGIN SOLUTION
    return values.sum() - (f_input - f_baseline)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-2", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("00.2", residual)

# %% [markdown]
# ### Exercise 4: the strongest pixel in colour
#
# ●●○ · 5 minutes
#
# The photograph has three numbers for each pixel, one for red, one for green, one for blue, and each of the three has a share. A pixel's share is the sum of its three. Find the row and the column of the *pixel* whose share is largest in magnitude. Strong is a matter of magnitude: a share against the answer can be stronger than any share for it.
#
# <details><summary>Hint 1</summary>
#
# The shares of all pixels add up to what F gained. What is the sum of one pixel's three?
#
# <details><summary>Hint 2</summary>
#
# <code>argmax()</code> of a two-dimensional tensor counts through it row by row.
#
# <details><summary>Hint 3</summary>
#
# <code>divmod(int(index), columns)</code> turns that count into a row and a column.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-00-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def strongest_pixel(values):
    """Where the pixel lies whose share is largest in magnitude.

    values: (3, rows, columns), a share for each colour of each pixel.
    Returns a tensor of two numbers: row and column, counted from 0.
    """
    ### BEGIN SOLUTION
    pixels = values.sum(dim=0)
    index = int(pixels.abs().argmax())
    return torch.tensor(divmod(index, pixels.shape[1]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("00.4", strongest_pixel)

# %% [markdown]
# ## Recap
#
# From your first PyTorch course: what does `torch.autograd.grad(score(path)[:, label].sum(), path)` compute, and why is the sum allowed?
#
# <details><summary>Answer</summary>
#
# The derivative of the sum with respect to every number in <code>path</code>. Each row's score depends on that row alone, so the derivative with respect to a row is that of its own score. One call gives 64 gradients.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A pixel is black in the picture and black in the baseline. What is its share by Integrated Gradients?
#
# <details><summary>A. Zero.</summary>
#
# Right. It did not move along the path, and x - x' is a factor of its share.
#
# </details>
# <details><summary>B. It depends on the gradient.</summary>
#
# The gradient there may be large, but it is multiplied by how far the pixel moved, and that is zero.
#
# </details>

# %% [markdown]
# **Question 2.** The residual of an attribution is zero. Is every pixel's share right?
#
# <details><summary>A. Yes, that is what completeness means.</summary>
#
# Completeness is about the sum. If one share is too high and another too low by as much, the sum stays the same.
#
# </details>
# <details><summary>B. Not necessarily.</summary>
#
# Right. A residual that is not small proves that something is wrong. A small one is necessary, not sufficient. Lesson 05 comes back to this.
#
# </details>

# %% [markdown]
# **Question 3.** Why did the walk begin at a black picture?
#
# <details><summary>A. Any picture would give the same shares.</summary>
#
# It would not. The shares explain the difference from the picture you began with.
#
# </details>
# <details><summary>B. It is a picture that says nothing, so whatever the score gains over it comes from the digit.</summary>
#
# Right. What it means to say nothing is a question of its own, for lesson 07.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("00")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. The gradient says what a nudge would do. It does not say what made the score.
# 2. Integrated Gradients adds up gradient times movement along the path from a baseline to the input, and its shares add up to F(x) - F(x').
# 3. Ask every attribution for its residual. A large one is proof that it is wrong.
#
# **Where it comes from.** Integrated Gradients: Sundararajan, Taly and Yan (2017). The digits: Alpaydin and Kaynak (1998). Blacking out pixels to test a map: Samek et al. (2017).
#
# **What is next.** [Lesson 01](01_naive_gradients.ipynb): the gradient, what it is good for and where it fails.
