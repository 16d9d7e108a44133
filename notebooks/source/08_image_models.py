# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 08 · Image models
#
# **The question.** A heat map lies over a photograph and looks convincing. How would you know that it is right?
#
# **You will be able to**
# - score a method on pictures where the truth is known, with an interval and a control;
# - keep the preprocessing inside F, so that a baseline is what you think it is;
# - say whether you explain a logit, a probability or log odds, and why it matters;
# - draw an attribution so that nobody is misled by the drawing.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb), [lesson 05](05_computing_the_integral.ipynb) and [lesson 07](07_baselines.ipynb).
#
# **Time.** 100 minutes, exercises included.
#
# **GPU.** It makes the gallery and the table faster. The answers are the same.

# %%
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

import igteach
from igteach import baselines, explore, show
from igteach.datasets import load_digits
from igteach.datasets.photographs import load_photograph
from igteach.datasets.scenes import SCENE_CLASSES, make_scenes
from igteach.evaluate import (
    interval,
    pointing_game,
    random_gradients,
    random_numbers,
    relevance_mass,
)
from igteach.exercises import check
from igteach.models import digits, imagenet, scenes
from igteach.models.gallery import open_gallery
from igteach.show.plates import smoothed as smoothed_map

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## A picture with the truth attached
#
# Nobody knows which pixels of a photograph decided. So begin where more is known: with pictures drawn by code, paper cut-outs on patterned paper. There are eight shapes to tell apart. Colours, patterns, positions, sizes and the clutter around them are random, whatever the shape.
#
# So only the object and its outline give the answer away. The code that draws a scene knows where the object is, and hands over a **mask**.

# %% tags=["slide-goes-on"]
drawn = make_scenes(100, seed=0)
x, mask = drawn.x.to(device), drawn.mask.to(device)
model = scenes.load()
score = igteach.probability(model)
with torch.no_grad():
    answers = model(x).argmax(dim=1)

print("the shapes:", ", ".join(SCENE_CLASSES))
show.heatmaps({SCENE_CLASSES[drawn.y[i]]: x[i] for i in range(4)}, kind="picture")

# %%
first = int((drawn.y == SCENE_CLASSES.index("fish")).nonzero()[0])
there, said = SCENE_CLASSES[drawn.y[first]], SCENE_CLASSES[answers[first]]
print(f"number {first} shows a {there} and the network says {said}")
count = int((answers.cpu() == drawn.y).sum())
print(f"the network is right on {count} of 100 scenes that it has not seen")
covered = show.rounded(mask.float().mean(), 2)
print("the fraction of a picture that the object takes, on average:", covered)

# %% [markdown] tags=["slide"]
# **Predict.** Gradient, smoothed gradient (*SmoothGrad*, the mean gradient of noisy copies), gradient × input, Integrated Gradients, with black as the baseline where they need one. Which will put the largest fraction of its strength inside the outline? Will that be more than half?


# %% tags=["slide"]
def smoothed(f, x, baseline=None, target=None):
    """The gradient, averaged over ten noisy copies of the picture; this network
    tolerates noise of 0.1."""
    return igteach.smoothgrad(f, x, baseline, target, stdev=0.1, samples=10)


def integrated(f, x, baseline=None, target=None):
    return igteach.integrated_gradients(f, x, baseline, target, tolerance=0.1)


methods = {
    "gradient": igteach.gradient,
    "smoothed gradient": smoothed,
    "gradient x input": igteach.gradient_times_input,
    "IG": integrated,
}
one, label = x[first : first + 1], int(answers[first])
fish = SCENE_CLASSES[label]
of_one = {name: method(score, one, target=label) for name, method in methods.items()}
shown = {
    f"gradient for {fish} (F is flat: nearly 0)": of_one["gradient"],
    "smoothed gradient (10 noisy copies)": of_one["smoothed gradient"],
    f"IG for {fish}, from black": of_one["IG"],
}
show.attributions(x[first], shown, mask=mask[first])

# %% [markdown] tags=["slide-goes-on"]
# The gradient's map is nearly empty: the network is sure of this picture, and the slope has gone (lesson 02). The other two put something on the object and a good deal elsewhere. Which is best? Your eye has an answer, and your eye has been wrong before. Count.

# %% [markdown]
# In words: take the strength of each pixel, and ask what fraction of the total strength lies on the object. A pixel has three colours but one place: add the colours, then take the absolute value.
#
# $$\text{fraction inside the mask} \;=\; \frac{\sum_{p \,\in\, \text{object}} \left|\sum_c \mathrm{A}_{c,p}\right|}{\sum_{p} \left|\sum_c \mathrm{A}_{c,p}\right|}$$

# %% [markdown]
# `relevance_mass` in `igteach.evaluate` does this for many pictures at once. Score the maps above, and that of gradient × input.

# %% tags=["nbval-ignore-output"]
for name, answer in of_one.items():
    mass = relevance_mass(answer.values, mask[first : first + 1])
    print(f"{name:20s}{mass.item():.0%}")

# %% [markdown]
# On this one fish the map that looked empty comes first. The fraction inside the mask ignores how strong a map is overall. And one picture proves nothing.
#
# ## A hundred pictures, and luck
#
# Take a hundred. Even then the mean depends on which hundred: take others, and it moves. How far? Often there are no others, so the *bootstrap* (Efron 1979) draws from those you have. It draws 100 of the 100 scores, with repeats, and averages them, a few thousand times over. The middle 95% of these averages tells you how far luck may have moved yours.

# %% [markdown]
# ### Exercise 2: how far luck may reach
#
# ●●○ · 8 minutes
#
# Each row of `draws` is one such redraw: the indices of its pictures. Return the two limits that enclose the middle 95% of the redraws' means.
#
# <details><summary>Hint 1</summary>
#
# <code>scores[draws]</code> has the shape of draws: one row for each redraw.
#
# <details><summary>Hint 2</summary>
#
# Average each row. Then find the two numbers that leave 2.5% of the averages below and 2.5% above.
#
# <details><summary>Hint 3</summary>
#
# <code>torch.quantile</code> takes the fractions as a tensor: <code>torch.tensor([0.025, 0.975])</code>.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-08-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reach_of_luck(scores, draws):
    """Low and high: the middle 95% of the means that other draws of pictures might
    have given.

    scores: (pictures,);  draws: (times, pictures), indices of pictures, with repeats.
    Returns (2,).
    """
    ### BEGIN SOLUTION
    return scores[draws].mean(dim=1).quantile(torch.tensor([0.025, 0.975]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("08.2", reach_of_luck)

# %% [markdown]
# `interval` in `igteach.evaluate` does this with SciPy. Two methods are compared on the *same* pictures, so what counts is the interval of their difference, picture by picture. If it lies above zero, luck alone does not explain the lead.
#
# A score also needs a **control**: a map of random numbers, which has never seen a network. It should score the fraction of the picture that the object covers. A second control knows no network either, only where people tend to put things: a **blob in the middle**. Beside the fraction inside the mask stands a cruder judge, the **pointing game**: one point if the strongest pixel lies on the object, none if not.


# %%
def middle(side):
    """A blob in the middle of a square; a hair off centre, so that no two places
    are equally strong."""
    down, across = torch.linspace(-1, 1.02, side), torch.linspace(-1, 1.03, side)
    return torch.exp(-(down[:, None] ** 2 + across**2) / (2 * 0.3**2)).to(device)


noise = random_numbers(score, x, target=answers).values
against_black = {
    name: method(score, x, target=answers) for name, method in methods.items()
}
maps = {"random numbers": noise, "a blob in the middle": middle(64).expand_as(x)}
maps |= {name: answer.values for name, answer in against_black.items()}
mean, low, high = range(3)


def table(maps):
    """Prints both scores of each map with their intervals; returns the intervals of
    the fraction inside the mask."""
    print(f"{'':38s}{'fraction inside the mask':26s}pointing game")
    found = {}
    for name, values in maps.items():
        found[name] = interval(relevance_mass(values, mask))
        cells = [
            f"{each[mean]:.0%} ({each[low]:.0%} to {each[high]:.0%})"
            for each in (found[name], interval(pointing_game(values, mask)))
        ]
        print(f"{name:38s}{cells[0]:26s}{cells[1]}")
    return found


def leads(values, others):
    """Whether the first maps have the larger fraction inside the mask, and luck does
    not explain it."""
    gain = relevance_mass(values, mask) - relevance_mass(others, mask)
    return interval(gain)[low] > 0


# %% tags=["nbval-ignore-output"]
from_black = table(maps)

# %%
all_lead = all(leads(maps[name], noise) for name in methods)
ig_leads = leads(maps["IG"], maps["gradient"])
smoothed_leads = leads(maps["smoothed gradient"], maps["gradient"])
print("every method leads random numbers:       ", all_lead)
for name in ("gradient", "IG"):
    wins = leads(maps[name], maps["a blob in the middle"])
    print(f"{name} leads the blob in the middle:".ljust(41), wins)
print("IG leads the gradient:                   ", ig_leads)
print("the smoothed gradient leads the gradient:", smoothed_leads)
print("IG's fraction inside the mask:", show.rounded(from_black["IG"][mean], 2))

# %% [markdown]
# IG comes first, yet most of its strength lies outside the mask. Smoothing makes maps look better; here it does not make them better. And the blob is sobering: only IG leads it.
#
# Is IG wrong about most of the picture, then? Look at its map again, beside the other two. Much of its strength hugs the outline from outside, and an outline has two sides: the paper right beside a fish shows where the fish ends. Widen the mask by three pixels and count again:

# %%
wide = max_pool2d(mask[:, None].float(), kernel_size=7, stride=1, padding=3)
for name in ("IG", "random numbers"):
    found = show.rounded(relevance_mass(maps[name], wide[:, 0].bool()).mean(), 2)
    print(f"{name:15s} on the object and a rim of three pixels: {found}")

# %% [markdown]
# So be careful with the word truth. The mask says where the evidence *may* lie, give or take a rim (and a soft shadow, which follows the shape as well). It does not say what this network used. A network that looks at the paper is one thing, a method that wrongly says so is another, and a score alone cannot tell them apart. Only an intervention can; lesson 12 makes some.

# %% [markdown] tags=["slide"]
# ## The same method, another question
#
# A share is a slope times x - x', and x - x' is in *your* hands (lesson 07). Two more baselines:
#
# - **mean colour**: every pixel takes the mean colour of its picture. Most of the paper hardly moves.
# - **no object**: the same scene before the object was laid on it. Only code that draws its own pictures can offer that.
#
# **Predict.** What will the score be against each?

# %% tags=["slide"]
starts = {
    "black": torch.zeros_like(x),
    "mean colour": x.mean(dim=(2, 3), keepdim=True).expand_as(x),
    "no object": drawn.background.to(device),
}
by_start = {"black": against_black["IG"]}
for name in ("mean colour", "no object"):
    by_start[name] = integrated(score, x, starts[name], answers)
of_first = {}
for name, start in starts.items():
    own = start[first : first + 1]
    title = f"IG for {fish}, from {name}"
    of_first[title] = igteach.integrated_gradients(score, one, own, label)
show.attributions(x[first], of_first)

# %% tags=["nbval-ignore-output"]
asked_otherwise = table(
    {f"{name}: IG": answer.values for name, answer in by_start.items()}
)

# %%
colour_leads = leads(by_start["mean colour"].values, by_start["black"].values)
print("mean colour leads black:", colour_leads)
for name, start in starts.items():
    found = show.rounded(asked_otherwise[f"{name}: IG"][mean], 2)
    complete = (by_start[name].relative_residual < 0.05).float().mean().item()
    neutral = (baselines.opinion(score, start) < 0.05).float().mean().item()
    print(
        f"{name:12s} fraction inside the mask {found}   complete within 5%: "
        f"{complete:.1f} of the pictures   neutral within 0.05: {neutral:.1f}"
    )

# %% [markdown]
# One network, one method, one hundred pictures, and the score goes from poor to splendid. Nothing changed but the question.
#
# That black and the mean colour are neutral is no accident: the training included pictures of one colour, with equal probabilities as the right answer (see the card `data/scenes.md`). It did not include paper without an object, and the network has opinions about that.

# %% [markdown] tags=["slide-goes-on"]
# Be as strict with good news as with bad. With no object in the baseline, x - x' is exactly zero everywhere but on the object and its shadow, and *any* slope would be multiplied by that. So a fair control gets the same help: random gradients, times the same x - x'.
#
# **Predict.** What will random gradients score there?

# %% tags=["nbval-ignore-output", "slide"]
competing_inputs = {}
for name, start in starts.items():
    competing_inputs[f"{name}: IG"] = by_start[name].values
    product = igteach.gradient_times_input(score, x, start, answers)
    competing_inputs[f"{name}: gradient x input"] = product.values
    competing_inputs[f"{name}: random gradients"] = random_gradients(
        score, x, start, answers
    ).values
scored = table(competing_inputs)

# %%
for name in starts:
    ours = scored[f"{name}: IG"][mean]
    random = scored[f"{name}: random gradients"][mean]
    print(
        f"{name:12s} IG over random gradients: {show.rounded(ours / random, 1)} times, "
        f"{abs(ours - random):.1f} apart"
    )
of_ig = competing_inputs["mean colour: IG"]
of_product = competing_inputs["mean colour: gradient x input"]
print("from the mean colour IG leads gradient x input:", leads(of_ig, of_product))

# %% [markdown] tags=["slide-goes-on"]
# The best score of all was worth nothing. With no object in the baseline, random gradients do as well as Integrated Gradients: the answer was in the question.

# %% [markdown]
# And black or the mean colour? Take the difference between IG and its control, and the mean colour wins; take the ratio, and black does. A ranking that depends on how you compare is no ranking. What you may say: from either baseline, IG scores well above its control, and above gradient × input.
#
# - A score without a control is a number without a meaning.
# - The control must be given everything that the method was given, except the network.
# - The pointing game is a weak judge here: look how often random gradients hit the object once x - x' has shown them where it is.
#
# ## Photographs
#
# Now for pictures where nobody knows. EfficientNet-Lite0 (Tan and Le 2019) tells a thousand things apart in photographs. Like most such networks it does not take pixels from 0 to 1. It wants them *normalised*: minus a mean, divided by a deviation. Its mean and deviation were not measured on photographs; they turn black into -1 and white into 1, or nearly. Other networks have three of each, one for each colour.
#
# A baseline of zeros is then the mean, a grey (lesson 07's quiz). Make a black one.

# %% [markdown]
# ### Exercise 3: black
#
# ●○○ · 5 minutes
#
# A network takes (pixels - mean) / deviation. Return a black picture in those units.
#
# <details><summary>Hint 1</summary>
#
# A black pixel is 0 before the preprocessing. Put 0 through it.
#
# <details><summary>Hint 2</summary>
#
# <code>.view(1, 3, 1, 1)</code> lines three numbers up with the colours, and <code>.expand(...)</code> repeats them over a picture.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-08-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def black(mean, deviation, height, width):
    """A black picture in the units of a network that takes (pixels - mean) / deviation.

    mean, deviation: (3,), for pixels in [0, 1].  Returns (1, 3, height, width).
    """
    ### BEGIN SOLUTION
    return (-mean / deviation).view(1, 3, 1, 1).expand(1, 3, height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-3", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("08.3", black)

# %% [markdown]
# Passing zeros for black is a common mistake, and a silent one: the shares do add up, but to the difference from a picture that nobody meant.
#
# The cure is to put the preprocessing **inside F**. Then F takes pixels from 0 to 1, black is 0, white is 1, and x - x' is what you see. The shares stay the same. Let d be the deviation. In pixels, x - x' is d times as large as after normalising, and the slope 1/d times as large. In the product d cancels. All it takes is a module around the network whose `forward` is `self.network(normalise(x))`.
#
# The network of the gallery is wrapped like this. Here is what it calls the gallery's five photographs.

# %%
gallery = open_gallery(device)
chosen = {}
with torch.no_grad():
    for name, picture in gallery.pictures.items():
        sure, best = gallery.model(picture[None]).softmax(dim=1)[0].max(dim=0)
        chosen[name] = int(best)
        print(f"{name:20s}{gallery.labels[chosen[name]]}, {show.rounded(sure, 2)}")

# %% [markdown] tags=["slide"]
# Three of the answers fit, and a moped is nearly a motorcycle. There is no coin among the thousand classes, so the answer for the coins was bound to be wrong.
#
# Two photographs get three baselines: a black page, a white page and the photograph itself, blurred. For the other three, blur must do. Integration goes on until the error estimate of the shares is below 5% of all |shares|.
#
# **Predict.** The network calls the camera-man "tripod". On which of the three maps will you find the tripod?

# %% tags=["nbval-ignore-output"]
seen = igteach.probability(gallery.model)


def walked(f, picture, baseline, target, tolerance=0.05):
    """IG in small batches, which are faster on a CPU."""
    return igteach.integrated_gradients(
        f, picture, baseline, target, tolerance=tolerance, batch_size=4, progress=True
    )


def starts_of(picture):
    """A black page, a white page, and the picture blurred beyond recognition."""
    blur = baselines.blur(picture, sigma=picture.shape[-1] / 16)
    black, white = torch.zeros_like(picture), torch.ones_like(picture)
    return {"blur": blur, "black": black, "white": white}


explained = {}
for name, picture in gallery.pictures.items():
    grounds = starts_of(picture[None])
    asked = grounds if name in ("camera", "coffee") else {"blur": grounds["blur"]}
    explained[name] = {
        f"from {ground}": walked(seen, picture[None], baseline, chosen[name])
        for ground, baseline in asked.items()
    }

# %% [markdown]
# Each map has its own colour scale: read it off the bar.


# %% tags=["slide"]
def titled(name):
    """The maps of a photograph, by descriptive titles."""
    label = gallery.labels[chosen[name]]
    return {
        f"IG for {label}, {title}": answer for title, answer in explained[name].items()
    }


of_man = {f"{title} (own scale)": answer for title, answer in titled("camera").items()}
show.attributions(gallery.pictures["camera"], of_man, smooth=3, own_scales=True)

# %% [markdown] tags=["slide-goes-on"]
# The map from the blur finds the tripod: its head (where the legs meet) and its feet. A black page cannot see what is black (lesson 07), and a white one hardly sees the pale sky.
#
# Read the line under each title. All add up, or nearly, and the estimated error of the shares is about 5% or less. So each answers its own question, to within about 5%.

# %% [markdown]
# A fourth answer costs nothing. Shares against several baselines may be averaged: they then add up to F(x) minus the *mean* F of the baselines. Average maps over baselines, never over different F: a probability and a logit have different units.


# %%
def mean_of(answers):
    """Integrated Gradients, averaged over baselines."""
    values = torch.stack([answer.values for answer in answers]).mean(dim=0)
    f_baseline = torch.stack([answer.f_baseline for answer in answers]).mean(dim=0)
    steps = sum(answer.evaluations for answer in answers)
    return igteach.Attribution(values, answers[0].f_input, f_baseline, steps)


for name in ("camera", "coffee"):
    explained[name]["mean of the three"] = mean_of(list(explained[name].values()))

# %% [markdown]
# ### Exercise 5: a picture that is too large
#
# ●●○ · 6 minutes
#
# A satellite picture is larger than its network takes. So the network looks at square windows, some of which overlap, and F is the mean of its answers. You have the map of each window, against black: its shares add up to what that window's answer gained. Make the map of the whole picture, whose shares add up to what F gained. A pixel that no window sees has no share.
#
# <details><summary>Hint 1</summary>
#
# A pixel in two windows has moved two answers. What has it done to their mean?
#
# <details><summary>Hint 2</summary>
#
# F is the sum of the windows' answers over their number, so its shares are the sum of the windows' shares over the same number (linearity, lesson 06). Is that the number of windows that see the pixel?
#
# <details><summary>Hint 3</summary>
#
# Begin with <code>torch.zeros(height, width)</code>. A window's place is <code>[top : top + side, left : left + side]</code>. Check the sum at the end.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-08-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stitched(maps, corners, height, width):
    """The map of a picture, from the maps of its windows.

    maps: (windows, side, side);  corners: (windows, 2), the top row and the left column
    of each window;  height, width: of the picture.  Returns (height, width).
    """
    ### BEGIN SOLUTION
    whole = torch.zeros(height, width)
    side = maps.shape[1]
    for each, (top, left) in zip(maps, corners.tolist()):
        whole[top : top + side, left : left + side] += each / len(maps)
    return whole
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("08.5", stitched)

# %% [markdown]
# ## Neighbours cancel
#
# These maps are smoothed for display. Here is what was smoothed away, where the legs of the tripod meet.

# %%
window = (..., slice(104, 168), slice(104, 168))
thing = gallery.labels[chosen["camera"]]
of_pixels = explained["camera"]["from blur"].values.sum(dim=1)[0].cpu().double().numpy()
pair = {
    f"IG for {thing}, from blur: each pixel": of_pixels[window],
    "the same, smoothed over 3 pixels": smoothed_map(of_pixels, 3)[window],
}
show.attributions(gallery.pictures["camera"][window], pair, own_scales=True)

# %% [markdown]
# In the middle, the shares pixel by pixel: orange and blue lie side by side like salt and pepper. On the right, what is left when neighbours are added up; the numbers on its colour bar are much smaller.
#
# **Predict.** The shares for "tripod" add up to about 0.94. How much do their absolute values add up to: about 1, about 5, or more than 20? And after smoothing?


# %%
def in_all(answer):
    """The sums of the pixels' shares, of their |shares|, and of these after
    smoothing."""
    pixels = answer.values.sum(dim=1)[0].double().cpu().numpy()
    return pixels.sum(), abs(pixels).sum(), abs(smoothed_map(pixels, 3)).sum()


print(f"{'':34s}shares  |shares|  |smoothed over 3 pixels|")
for name, maps_of_one in explained.items():
    for title, answer in maps_of_one.items():
        sums = [float(each) for each in in_all(answer)]
        total, strength, rest = show.rounded(sums, 2)
        which = f"{gallery.labels[chosen[name]]} {title}"
        print(f"{which:34s}{total:6} {strength:9} {rest:10}")

# %% [markdown]
# More than 20, then. From blur they add up to about 40, some forty times the shares' own sum; after smoothing, to about 5. One pixel speaks for the tripod, its neighbour against, and nearly all of it cancels. To the network these pixels are one thing, an edge or a texture; the share of one pixel alone says little.
#
# Smoothing adds neighbours up and keeps the sum: nothing is lost but what cancels. It also changes the claim. An unsmoothed map says *this pixel*. A smoothed one says *around here, within three pixels or so, that much is left over*. It cannot tell the two sides of a thin leg apart. And look at the last column: most of what is left still cancels, at larger distances.
#
# ## Where nobody knows
#
# **Predict.** The network calls the coins "bubble". Where will the orange be? (The cat waits at the end of the lesson.)

# %%
show.attributions(gallery.pictures["coins"], titled("coins"), smooth=3)

# %% [markdown]
# Nowhere in particular. On the camera-man the orange lay on things that you would have named, and *you* were pleased. That is not evidence: on the scenes a splendid score was worth nothing. Two tests work for any picture.
#
# **First: another baseline.** How alike are the maps of one photograph?


# %%
def squares(attribution):
    """The shares of squares of 8 by 8 pixels, in a row."""
    return avg_pool2d(attribution.values.sum(dim=1), 8, ceil_mode=True).flatten()


for name in ("camera", "coffee"):
    maps_of_one = torch.stack([squares(answer) for answer in explained[name].values()])
    grounds = starts_of(gallery.pictures[name][None])
    for (ground, start), row in zip(grounds.items(), torch.corrcoef(maps_of_one)):
        opinion = show.rounded(baselines.opinion(seen, start).item(), 1)
        print(f"{name:8s}from {ground:7s} opinion {opinion:5}", end="   ")
        print("correlation with blur, black, white:", show.rounded(row[:3], 2))
    mean_row = torch.corrcoef(maps_of_one)[3, :3]
    print(f"{name:8s}the mean of the three, with each:", show.rounded(mean_row, 2))

# %% [markdown]
# A correlation near 1 says that what you saw comes from the picture; one near 0, that it comes from the choice of baseline. Here it belongs to the comparison. The maps from black and white tend to be opposites, since the sign of x - x' is flipped; the averaged map is most like the one from white for the camera-man, and most like the one from black for the cup. And only one baseline has an opinion to speak of, the blurred cup. Where equally good baselines give different maps, whoever shows one map shows a choice.
#
# **Second: take it away.** The map says that the orange places made the answer. Blur the 5% of squares with the largest shares, and see how much of F is left. One control blurs as many squares at random. The other blurs the middle: photographers put things there, too.
#
# **Predict.** For how many of the five will blurring IG's squares leave less than blurring random ones? Than blurring the middle?


# %%
def blurred(picture, strengths):
    """The picture, blurred in the 5% of its 8 by 8 squares that are strongest."""
    keep = torch.zeros_like(strengths)
    keep[strengths.topk(max(1, len(strengths) // 20)).indices] = 1
    side = -(-picture.shape[-1] // 8)
    where = interpolate(keep.view(1, 1, side, side), scale_factor=8)
    where = where[..., : picture.shape[-2], : picture.shape[-1]].bool()
    return torch.where(where, baselines.blur(picture, sigma=8.0), picture)


print("what is left of F(x) without 5% of the squares:")
columns = ("F(x)", "by IG", "at random", "in the middle")
print("{:20s}{:>8}{:>10}{:>14}{:>17}".format("", *columns))
for name, picture in gallery.pictures.items():
    of_ig = squares(explained[name]["from blur"])
    lot = torch.Generator().manual_seed(0)
    at_random = [torch.rand(len(of_ig), generator=lot).to(of_ig) for _ in range(8)]
    central = middle(-(-picture.shape[-1] // 8)).flatten()
    with torch.no_grad():
        changed = torch.cat(
            [blurred(picture[None], each) for each in (of_ig, central, *at_random)]
        )
        left = seen(changed)[:, chosen[name]]
    f_there = explained[name]["from blur"].f_input[0]
    printed = show.rounded([f_there, left[0], left[2:].mean(), left[1]], 2)
    print("{:20s}{:8}{:10}{:14}{:17}".format(name, *printed))

# %% [markdown]
# Blurring IG's squares leaves less of F than blurring random ones for three of the five photographs, and less than blurring the middle for four. One of the four is the coins, where that says little: both ways, the probability rises. Here, for the first time in this lesson, the network itself had to confirm the map, and for the cup, the cat and the moped it does: less is left without the squares that IG named than without random ones. The cup loses half of its answer. Which control is the stricter one differs from photograph to photograph. The cup and the cat pass it clearly. The moped barely does: the middle, which took no network to find, costs it nearly as much.
#
# For the camera-man and the coins the map fails. Without IG's squares the network is as sure of the tripod as without random ones: what is left is enough. And it is twice as sure that the coins are bubbles.
#
# Both probabilities even *rise*, though something was taken away. That is no mistake in the code. A picture also holds what speaks against its answer (the blue in the maps), and a blurred square may take that with it. Still, removing the strongest reasons *for* an answer should not make it more probable. **A map that adds up may still name what the answer does not need.**
#
# So read a picture's row before you say anything about its map. No map says why a network takes coins for bubbles. Lesson 12 turns this test into a method, applies it to the camera-man and the coins, and asks what it cannot show.
#
# ## What is F?
#
# So far in this lesson, F was the probability of a class. Many programs explain the **logit**, the number before the softmax, and so did lesson 05 for its ReLU network. Does it matter?
#
# Here is a network that answers exactly as ours does. It adds the same number to all eight logits, one that grows with the brightness of the upper left corner. No probability changes, no answer changes: softmax sees only differences.


# %%
class Lifted(nn.Module):
    """The network, with the brightness of the upper left corner added to every
    logit."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + 10 * x[:, :, :8, :8].mean(dim=(1, 2, 3))[:, None]


lifted = Lifted(model)
with torch.no_grad():
    largest = (lifted(x).softmax(dim=1) - model(x).softmax(dim=1)).abs().max()
    print(f"the largest difference of a probability: {largest:.4f}")

# %% [markdown]
# **Predict.** Two networks, one behaviour. Will their shares of the logit differ, and where?


# %%
def in_64_steps(f):
    """IG of one scene at the same points of the path for every F, so that only F
    differs."""
    return igteach.integrated_gradients(f, one, 0.0, label, steps=64)


readings = {"logit": igteach.logit, "probability": igteach.probability}
pairs = {
    name: [in_64_steps(read(network)) for network in (model, lifted)]
    for name, read in readings.items()
}
shown = (f"IG of {fish}'s logit, from black", "IG of that logit + corner brightness")
show.attributions(x[first], dict(zip(shown, pairs["logit"])))

# %%
def apart(ours, theirs):
    """The size of two maps' difference, as a fraction of the size of the first."""
    return ((ours - theirs).norm() / ours.norm()).item()


for name, (ours, theirs) in pairs.items():
    gap = apart(ours.values, theirs.values)
    print(f"{name:12s} the two maps are apart by {gap:.2f}")

# %% [markdown]
# The logits' maps differ, and the figure shows where: in the corner, on which no decision depends. The probabilities' maps agree. Add the same number to all logits, and nothing that the network answers changes; so a logit's value has no meaning by itself. Only differences between logits decide, so a share of one logit may be a share of nothing at all. A probability is free of this fault and has another: near 0 and near 1 it hardly moves, so nearly all of the path may count for nothing (lesson 02).
#
# There is a third choice, which you met in lessons 03 and 07: the **log odds** of a class, the logarithm of the chance for it over the chance against it. With z for the logits:
#
# $$\log \frac{p}{1 - p} \;=\; z_{\text{target}} - \log \sum_{k \ne \text{target}} e^{z_k}.$$
#
# What is added to all logits cancels, and no softmax flattens the ends. The network itself may still go flat. A network with one sigmoid for each label (several findings in one X-ray) is another case: there the logit of a label *is* its log odds, so take `igteach.logit`. If the question is *why this class and not that one*, take the difference of their two logits: the log odds between these two alone.

# %% [markdown]
# ### Exercise 4: log odds
#
# ●●○ · 8 minutes
#
# Compute them from logits.
#
# <details><summary>Hint 1</summary>
#
# <code>p / (1 - p)</code> breaks down where p rounds to 1. The right side of the formula does not.
#
# <details><summary>Hint 2</summary>
#
# Put <code>-torch.inf</code> in place of the target's logit (in a clone), and <code>logsumexp(dim=1)</code> leaves it out.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-08-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_odds(logits, target):
    """The logarithm of the chance for a class over the chance against it.

    logits: (N, classes);  target: a class number.  Returns (N,).
    """
    ### BEGIN SOLUTION
    others = logits.clone()
    others[:, target] = -torch.inf
    return logits[:, target] - others.logsumexp(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("08.4", log_odds)


# %%
def odds(network):
    """F: the log odds of each class, each in its turn left out of the sum."""

    def f(x):
        z = network(x)
        own = torch.eye(z.shape[1], dtype=torch.bool, device=z.device)
        return z - z[:, None].masked_fill(own, -torch.inf).logsumexp(dim=2)

    return f


ours, theirs = (in_64_steps(odds(network)).values for network in (model, lifted))
print(f"log odds     the two maps are apart by {apart(ours, theirs):.2f}")

# %% tags=["nbval-ignore-output"]
colours = starts["mean colour"]
by_f = {"probability": by_start["mean colour"]}
for name, f in {"logit": igteach.logit(model), "log odds": odds(model)}.items():
    by_f[name] = integrated(f, x, colours, answers)
table({f"mean colour: IG of the {each}": by_f[each].values for each in by_f})
print()
for name, answer in by_f.items():
    mean_count = answer.evaluations.double().mean()
    estimate = answer.error_estimate.max()
    print(f"{name:12s}{mean_count:.0f} gradients a picture, error estimates", end=" ")
    print(f"up to {estimate:.0%}, residuals up to {answer.relative_residual.max():.0%}")

# %% [markdown]
# On our hundred scenes the choice changes the score and the number of gradients little: the shares mostly depend on the layers before the softmax, which are the same. (The tolerance bounds the error estimate, a fraction of all |shares|. The residual is divided by F(x) - F(x'), a smaller number than the sum of all |shares|; so it may exceed the tolerance.) With another network you have to look again. Take a photograph: how alike are the maps of a probability and of its logit, square by square?

# %% tags=["nbval-ignore-output"]
man = gallery.pictures["camera"][None]
raw = igteach.logit(gallery.model)
of_logit = walked(raw, man, starts_of(man)["blur"], chosen["camera"], tolerance=0.1)

# %%
of_probability = explained["camera"]["from blur"]
maps_of_both = torch.stack([squares(of_probability), squares(of_logit)])
alike = torch.corrcoef(maps_of_both)[0, 1]
print("correlation of the two maps", show.rounded(alike, 2))

# %% [markdown]
# The further this correlation is from 1, the more of what you saw belongs to the choice of F. Always say which F you explained.
#
# ## Showing it honestly
#
# Even when the numbers are right, a drawing can lie. You saw the camera-man's maps, each on its own scale, and they looked equally strong. How strong are they?

# %%
for name, answer in explained["camera"].items():
    pixels = answer.values.sum(dim=1)[0].double().cpu().numpy()
    strongest = show.rounded(float(abs(smoothed_map(pixels, 3)).max()), 2)
    print(f"{name:18s} the strongest place after smoothing: {strongest}")

# %% [markdown]
# At its strongest place, the map from the blurred photograph is several times weaker than those from a black or a white page. On a shared scale it would look pale, though it adds up to as much. On its own scale any map looks busy, even one of rounding errors. Neither drawing is wrong if the caption says what was done, so read it under each figure. The rules of `show.attributions`:
#
# 1. **Signed.** Zero has no colour. A share against the answer has a colour of its own, and is hatched where there is room.
# 2. **Every pixel** is shown, and the strongest colour is the 99.5th percentile, so no single pixel sets the scale.
# 3. **Nothing goes unsaid.** If a map is clipped, smoothed or on its own scale, the caption says so.
# 4. **The verdict is in the picture.** A map that does not add up says so itself.
#
# ## Your turn
#
# The next three figures have controls. The last takes a picture of yours, and for that it needs JupyterLab.
#
# Walk the path, and watch the probability and the gradient.

# %% tags=["nbval-ignore-output"]
explore.path_explorer(score, one, starts["mean colour"][first : first + 1], label)

# %% [markdown]
# How many steps does a digit need? Its exact shares are known (lesson 05). Set four midpoint steps: going by the residual they look like enough. What does the error say?

# %% tags=["nbval-ignore-output"]
digit = load_digits().x_test[5:6].to(device)
reader = digits.load()
said = int(reader(digit).argmax())
exact = igteach.exact_integrated_gradients(igteach.logit(reader), digit, 0.0, said)
explore.steps_explorer(igteach.logit(reader), digit, 0.0, said, exact)

# %% [markdown]
# Four baselines, two at a time.

# %% tags=["nbval-ignore-output"]
choices = {name: start[first : first + 1] for name, start in starts.items()}
explore.baseline_explorer(score, one, choices | {"white": 1.0}, label)

# %% [markdown]
# And a picture of your own. It stays on your machine.


# %% tags=["nbval-ignore-output"]
def explain(image):
    """From a picture file to a figure: the network's answer, and IG from the blurred
    file."""
    mine = imagenet.centre(image).to(device)
    best = int(gallery.model(mine[None]).argmax())
    start = starts_of(mine[None])["blur"]
    answer = igteach.integrated_gradients(seen, mine[None], start, best, tolerance=0.1)
    title = f"IG for {gallery.labels[best]}, from blur"
    return show.attributions(mine, {title: answer}, smooth=3)


explore.your_picture(explain, load_photograph("chelsea"))

# %% [markdown]
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): the residual of a map is below 0.1%. Which of its shares may still be wrong?
#
# <details><summary>Answer</summary>
#
# Any of them. A residual is one number, the error of the sum, and the errors of two shares can cancel in it. That is why the verdict above a map also gives the error estimate when that is large, and why the exact shares of lesson 05 were worth the trouble.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A method puts nine tenths of its strength inside the mask. What would you ask first?
#
# <details><summary>A. What a map that never saw the network scores on the same terms.</summary>
#
# Right. Give a control everything but the network; the difference is what the network told you.
#
# </details>
# <details><summary>B. How many pictures that was.</summary>
#
# A good second question; an interval takes care of it. But in this lesson random gradients got a splendid score on a hundred pictures.
#
# </details>
# <details><summary>C. Whether the map is smooth.</summary>
#
# Smoothing pleases the eye. It did not help the score here.
#
# </details>

# %% [markdown]
# **Question 2.** You have IG maps of a logit, of a probability and of log odds. A colleague adds the same number to all logits of the network, one that depends on the picture. Which maps change?
#
# <details><summary>A. None: the network's answers are the same.</summary>
#
# Its answers are, and so are probabilities and log odds. The logit itself is not.
#
# </details>
# <details><summary>B. That of the logit.</summary>
#
# Right. Its shares now include those of the added number, though no decision depends on it.
#
# </details>
# <details><summary>C. All of them.</summary>
#
# Probability and log odds see only differences between logits, and those stay the same.
#
# </details>

# %% [markdown]
# **Question 3.** Debug from the sum. You draw one number for each pixel. On grey digits the numbers add up to F(x) - F(x'). On photographs they add up to a third of it, however many steps. What did you do?
#
# <details><summary>A. You took too few steps.</summary>
#
# More steps would move the sum. This one stays.
#
# </details>
# <details><summary>B. You took the slope after normalising, and x - x' before it.</summary>
#
# A good suspect, but then each share is off by a factor, the deviation. For the network of the gallery that is about a half, not a third.
#
# </details>
# <details><summary>C. You averaged the three colours of each pixel instead of adding them.</summary>
#
# Right. A mean of three numbers is a third of their sum. A digit has one colour, and there mean and sum are the same.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("08")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Where the truth is known, count; give an interval, and a control that was given everything but the network.
# 2. A share is a slope times x - x'. Part of every good score comes from the baseline, so ask what x - x' alone would score.
# 3. Say what F is, put the preprocessing inside it, and draw signed values on one scale with the residual beside them.
#
# **Where it comes from.** Integrated Gradients on photographs: Sundararajan, Taly and Yan (2017). EfficientNet: Tan and Le (2019). The pointing game: Zhang et al. (2016). The bootstrap: Efron (1979). Smoothing: Smilkov, Thorat, Kim, Viégas and Wattenberg (2017). Scenes with a known truth as a test of attributions: Yang and Kim (2019). Convincing maps that know nothing of the model: Adebayo et al. (2018).
#
# **What is next.** [Lesson 09](09_text_models.ipynb): from pixels to words, where a baseline is harder to come by.
