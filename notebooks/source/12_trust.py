# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 12 · Trust
#
# **The question.** Does an attribution tell the truth about the network, or does it tell you what you want to see?
#
# **You will be able to**
# - put any method to four tests: random weights, deletion and insertion, a known truth, agreement;
# - give each test its control, and say what the test cannot show;
# - choose a method by the question, and name its price;
# - find a shortcut that a network has taken, prove it by an intervention, and tell your team.
#
# **You need** [lesson 08](08_image_models.ipynb), and [lesson 09](09_text_models.ipynb) for the words and the trigger.
#
# **Time.** 130 minutes, exercises included.
#
# **GPU.** It makes the photographs faster. The answers are the same.

# %%
import torch
from torch.nn.functional import avg_pool2d, interpolate
from tqdm.auto import tqdm

import igteach
from igteach import baselines, captum_methods, show
from igteach.datasets import load_digits
from igteach.datasets.scenes import SCENE_CLASSES, make_scenes
from igteach.evaluate import (
    agreement,
    cascading_randomisation,
    deletion,
    edges,
    insertion,
    interval,
    random_numbers,
    random_gradients,
    randomised_maps,
    relevance_mass,
    token_deletion,
)
from igteach.exercises import check
from igteach.models import digits, scenes, text
from igteach.models.gallery import open_gallery
from igteach.training.scenes import MARKED

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## Four maps, all of them convincing
#
# Here is a scene, as in lesson 08, and four maps of it. Each has its own scale and shows magnitudes only. Two are old friends; one is *guided backpropagation* (lesson 06).

# %% tags=["slide-goes-on"]
drawn = make_scenes(40, seed=0)
x, mask = drawn.x.to(device), drawn.mask.to(device)
model = scenes.load(device)
score = igteach.probability(model)
with torch.no_grad():
    answers = model(x).argmax(dim=1)
mean_colour = x.mean(dim=(2, 3), keepdim=True).expand_as(x)


def integrated(f, x, baseline=None, target=None):
    return igteach.integrated_gradients(f, x, baseline, target, tolerance=0.2)


def size(values):
    """The strength of each pixel, its colours added up, in the shape of the values."""
    return values.sum(dim=1, keepdim=True).abs().expand_as(values)


def on_its_own_scale(values):
    """(height, width), scaled so that the strongest pixel is 1."""
    strength = values.sum(dim=0).abs()
    return strength / strength.max()


methods = [
    edges,
    igteach.gradient_times_input,
    captum_methods.guided_backprop,
    integrated,
]
drawn_order = torch.randperm(4, generator=torch.Generator().manual_seed(9)).tolist()
first = int((drawn.y == SCENE_CLASSES.index("fish")).nonzero()[0])
one, of_one = x[first : first + 1], answers[first : first + 1]
grey = mean_colour[first : first + 1]
maps = {
    name: on_its_own_scale(methods[number](score, one, grey, of_one).values[0])
    for name, number in zip("ABCD", drawn_order)
}
quiz = {f"map {name}: which method?": each for name, each in maps.items()}
BY_LARGEST = "|value|, each map divided by its largest"
show.heatmaps(quiz, kind="magnitude", picture=one[0], unit=BY_LARGEST)

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** A is guided backpropagation. One of the others has never seen the network: which? Which of the four would you show to a customer?

# %% [markdown] tags=["slide"]
# It is B, an edge detector: it shows how much the brightness changes at each pixel. (C is gradient times input, D Integrated Gradients.) If B is the one you chose for the customer, you were convinced by a map that never saw the network.
#
# ## First test: forget everything
#
# In words: if a map explains what the network has learnt, it must change when the network forgets. So reinitialise the last layer, then the last two, and on down to the first, until nothing trained is left. At each stage draw the map of the same answer again (Adebayo et al. 2018).
#
# **Predict.** After half of the layers are random, which maps still show the fish?

# %% tags=["slide"]
watched = {"guided backprop": captum_methods.guided_backprop, "IG": integrated}
as_trained, forgetting = {}, {}
for name, method in watched.items():
    stages = [*randomised_maps(score, method, one, grey, of_one).values()]
    as_trained[f"{name}: network as trained"] = on_its_own_scale(stages[0][0])
    for random in (1, 4, 7):
        title = f"{name}: {random} of {len(stages) - 1} layers random"
        forgetting[title] = on_its_own_scale(stages[random][0])
show.heatmaps(
    as_trained | forgetting, kind="magnitude", picture=one[0], unit=BY_LARGEST
)

# %% [markdown]
# With the last layer random, guided backpropagation draws the same fish, line for line. With four layers random it still draws the fish, and whatever else has an outline; with all seven, a grid. A network like that cannot tell a fish from a house, so whatever the map explains, it is not how the network decides.
#
# Integrated Gradients changes at once: with the last layer random the dark outline breaks up. But some strength stays on the fish to the end. So "which maps still show the fish" has an awkward answer: both, after a fashion. Is that a failure? Your eyes cannot tell, and these pictures hide the signs.
#
# So measure: how much does a map agree with its former self? Values from two networks differ in scale, so compare *orders*. Number the pixels of each map from the lowest value to the highest; these numbers are **ranks**. The correlation of the ranks is Spearman's (1904), which lesson 01 used:
#
# $$\rho \;=\; \frac{\sum_i (r_i - \bar r)(s_i - \bar s)}{\sqrt{\sum_i (r_i - \bar r)^2}\,\sqrt{\sum_i (s_i - \bar s)^2}}$$
#
# 1 is the same order, -1 the reverse, and 0 is what to expect of two maps that know nothing of each other.

# %% [markdown]
# ### Exercise 1: do two maps agree?
#
# ●●○ · 8 minutes
#
# Write it for two flattened maps. No two values in a map are equal.
#
# <details><summary>Hint 1</summary>
#
# <code>a.argsort()</code> lists the places from lowest to highest. That is not yet the rank of each place.
#
# <details><summary>Hint 2</summary>
#
# The rank of a place is where it stands in that list: <code>a.argsort().argsort()</code>.
#
# <details><summary>Hint 3</summary>
#
# <code>torch.corrcoef(torch.stack([r, s]))[0, 1]</code> is the formula above, for floating-point r and s.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-12-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rank_correlation(a, b):
    """Spearman's rank correlation of two maps.

    a, b: (places,), without ties.  Returns one number from -1 to 1.
    """
    ### BEGIN SOLUTION
    ranks = torch.stack([a.argsort().argsort(), b.argsort().argsort()])
    return torch.corrcoef(ranks.double())[0, 1]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-1", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.1", rank_correlation)

# %% [markdown]
# In `igteach.evaluate` this is `agreement`, for many pictures, with ties; `randomised_maps` makes the maps, from copies of your network. Now sixteen scenes. Signs count: a pixel that spoke for the answer and now speaks against it has moved to the other end of the order.
#
# Three controls know nothing of the network. *Random numbers* are noise. *Random gradients* are noise times x - x', as in lesson 08. *Edges* you have met.

# %%
few = slice(0, 16)
tested = {
    "random numbers": random_numbers,
    "random gradients": random_gradients,
    "edges": edges,
    "guided backprop": captum_methods.guided_backprop,
    "gradient": igteach.gradient,
    "gradient x input": igteach.gradient_times_input,
    "IG": integrated,
}
forgot = {
    name: randomised_maps(score, method, x[few], mean_colour[few], answers[few])
    for name, method in tested.items()
}
kept = {
    name: [agreement(stages["as trained"], values) for values in stages.values()]
    for name, stages in forgot.items()
}
lines = {
    name: [each.mean().item() for each in kept[name]]
    for name in tested
    if not name.startswith("random")
}
show.curves(
    range(8),
    lines,
    xlabel="random layers, from the last one down",
    ylabel="rank correlation with its former self",
)

# %% tags=["nbval-ignore-output"]
print(f"{'':20s}{'last layer random':26s}{'four of seven':26s}all random")
for name, row in kept.items():
    cells = [
        "{:+.2f} ({:+.2f} to {:+.2f})".format(*interval(row[stage]))
        for stage in (1, 4, 7)
    ]
    print(f"{name:20s}" + "".join(cell.ljust(26) for cell in cells))

# %%
halfway = kept["guided backprop"][4].mean()
farthest = max(each.mean().abs() for each in kept["IG"][2:])
lowest = min(each.mean() for each in kept["edges"])
print("guided backprop, four of seven layers random:", show.rounded(halfway, 1))
print("IG, two or more random layers, largest |mean|:", show.rounded(farthest, 1))
print("edges, at any stage: at least", show.rounded(lowest, 3))

# %% [markdown]
# Guided backpropagation fails. Integrated Gradients passes, and so does the plain gradient. The controls have to fail, and do. (The random numbers are the same at every stage, so they agree with themselves.)
#
# Look at the first column, where one layer is random. IG's interval is wide, and the gradient's mean is below zero. All scenes of one class share one row of the last layer's weights. Drawn at random, that row agrees with the old one or opposes it, and all maps of the class do the same. There are eight classes, so sixteen scenes are only eight tosses of a coin, and wide as these intervals are, they should be wider. With one more layer random, the maps neither agree with the old ones nor oppose them. (IG's -0.03 with all layers random is too small to matter.)
#
# Many people drop the signs and show |IG|. Does that pass, too?

# %%
sizes_left = agreement(
    size(forgot["IG"]["as trained"]), size([*forgot["IG"].values()][-1])
)
control = random_gradients(score, x[few], mean_colour[few], answers[few]).values
explained = agreement(size(forgot["IG"]["as trained"]), size(control))
less = sizes_left.mean() - explained.mean()
print("|IG|, all layers random: correlation", show.rounded(sizes_left.mean(), 1))
print("|IG| with |random gradients times (x - x')|: lower by", show.rounded(less, 1))

# %% [markdown]
# Not so well. Random gradients agree with |IG| nearly as much: what is left of |IG| is the picture, seen through x - x'. So do not show |IG| and call that an explanation (lesson 04).
#
# This test cannot show that a map is *right*. Random numbers, drawn again for each network, would pass it; so if a method draws at random, see first whether two of its maps of the *same* network agree.
#
# ## Second test: take it away
#
# Lesson 00 blacked out eight pixels of a digit, and asked how much of the score was left. Now go all the way.
#
# In words: take away what the map calls important, the most important first. If the map is right, F falls soon. Or start from nothing and put the most important back first: F should rise soon. These are **deletion** and **insertion** (Samek et al. 2017; Petsiuk et al. 2018). With the pixels in the map's order,
#
# $$D(k) \;=\; F(x \text{ with its first } k \text{ pixels replaced}), \qquad I(k) \;=\; F(\text{the replacement with the first } k \text{ pixels of } x).$$
#
# The **area** under a curve is its mean: small is good for deletion, large for insertion.

# %% [markdown]
# ### Exercise 5: a curve for a table
#
# ●●○ · 10 minutes
#
# The same test for a model that reads tables, such as that of lesson 03's patients. Replace the measurements of one row by those of the reference, one after another, from the largest share to the smallest; the sign counts, so negative shares come last. What is replaced stays replaced. Read F before the first replacement and after each one.
#
# <details><summary>Hint 1</summary>
#
# With three measurements, write down the four rows that F is to read.
#
# <details><summary>Hint 2</summary>
#
# <code>shares[0].argsort(descending=True)</code> lists which measurement goes first, second, third.
#
# <details><summary>Hint 3</summary>
#
# Each row is a clone of the one before, with one more number replaced. <code>torch.cat(rows)</code> makes a batch of them.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-12-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deletion_curve(f, x, shares, reference):
    """F as the features of a row are replaced, from F(x) to F(reference).

    f: (N, features) -> (N,);  x, shares, reference: (1, features).
    Returns (features + 1,).
    """
    ### BEGIN SOLUTION
    rows = [x]
    for feature in shares[0].argsort(descending=True):
        left = rows[-1].clone()
        left[0, feature] = reference[0, feature]
        rows.append(left)
    return f(torch.cat(rows))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-5", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.5", deletion_curve)

# %% [markdown]
# `deletion` and `insertion` do this for many pictures and return curves with their areas. They need a replacement, a baseline by another name: here the mean colour of each picture. The gradient and guided backpropagation are ranked by magnitude, which is how they are shown.
#
# **Predict.** Six maps compete: the three controls, the gradient, guided backpropagation and IG. In what order will they finish?

# %%
values = {"random numbers": random_numbers(score, x, mean_colour, answers).values}
values["random gradients"] = random_gradients(score, x, mean_colour, answers).values
values["edges"] = edges(score, x, mean_colour, answers).values
values["gradient"] = size(igteach.gradient(score, x, mean_colour, answers).values)
values["guided backprop"] = size(
    captum_methods.guided_backprop(score, x, mean_colour, answers).values
)
values["IG"] = integrated(score, x, mean_colour, answers).values


def both(f, x, values, reference, target):
    """Deletion and insertion of each map, 12 points each."""
    return {
        name: [
            curves(f, x, each, reference, target, steps=12)
            for curves in (deletion, insertion)
        ]
        for name, each in values.items()
    }


def areas(found):
    """Prints the areas with their intervals."""
    print(f"{'':20s}{'deletion (small is good)':28s}insertion (large is good)")
    for name, pair in found.items():
        cells = [
            "{:.2f} ({:.2f} to {:.2f})".format(*interval(each.area)) for each in pair
        ]
        print(f"{name:20s}" + "".join(cell.ljust(28) for cell in cells))


on_colour = both(score, x, values, mean_colour, answers)
part = on_colour["IG"][0].fraction.cpu()
shown = ("random numbers", "edges", "guided backprop", "IG")
show.curves(
    part,
    {name: on_colour[name][0].values.mean(dim=0) for name in shown},
    xlabel="fraction of pixels in the mean colour, most important first",
    ylabel=f"F, mean of {len(x)} scenes",
)

# %% tags=["nbval-ignore-output"]
areas(on_colour)


# %%
def surely(found, which, better, worse):
    """Whether the first map has the better area, and luck does not explain it."""
    gain = found[better][which].area - found[worse][which].area
    return interval(-gain if which == 0 else gain)[1] > 0


by_chance = ("random numbers", "random gradients")
deleting = [surely(on_colour, 0, "IG", name) for name in (*by_chance, "edges")]
inserting = [surely(on_colour, 1, "IG", name) for name in by_chance]
print("deletion:  IG beats random numbers, random gradients and edges:", all(deleting))
print("insertion: IG beats random numbers and random gradients:       ", all(inserting))
print(
    "insertion: IG beats edges:                                  ",
    surely(on_colour, 1, "IG", "edges"),
)
print(
    "insertion: guided backprop is no worse than IG:             ",
    not surely(on_colour, 1, "IG", "guided backprop"),
)

# %% [markdown]
# By deletion the order is the one to hope for: IG and guided backpropagation, then the gradient, then edges, and last both kinds of noise. What knows the network is ahead of what does not.
#
# By insertion it is not. An edge detector, which has never seen the network, does as well as Integrated Gradients. And the largest area of all belongs to guided backpropagation, which has just failed the first test.
#
# How can that be? Insert the edges of a scene first, and you insert a *drawing* of it. The network knows shapes, so it knows the drawing. Insertion rewards what makes a recognisable picture, whether or not that is what decided.
#
# Now replace pixels with black instead of the mean colour, and take IG from black.
#
# **Predict.** Will IG still be ahead of random numbers?

# %%
black = torch.zeros_like(x)
from_black = {
    name: values[name] for name in ("random numbers", "edges", "guided backprop")
}
from_black["IG"] = integrated(score, x, black, answers).values
on_black = both(score, x, from_black, black, answers)
show.curves(
    part,
    {name: pair[0].values.mean(dim=0) for name, pair in on_black.items()},
    xlabel="fraction of pixels made black, most important first",
    ylabel=f"F, mean of {len(x)} scenes",
)

# %% tags=["nbval-ignore-output"]
areas(on_black)

# %%
print(
    "deletion to black:    IG beats random numbers:",
    surely(on_black, 0, "IG", "random numbers"),
)
print(
    "insertion into black: IG beats random numbers:",
    surely(on_black, 1, "IG", "random numbers"),
)
curve = on_black["random numbers"][0].values.mean(dim=0)
left = show.rounded(curve[2] / curve[0], 1)
print("a random sixth of the pixels black: the fraction of F that is left:", left)

# %% [markdown]
# By insertion yes, by deletion no. Scatter black dots over a picture, no matter where, and the network, which has never seen such pictures, is lost: on average random numbers even do better than the edge detector. The curve then shows how the network tolerates dots, not what decided (which is why Hooker et al. 2019 retrain it on such pictures).
#
# A replacement that the network tolerates well, such as the picture's own mean colour, is the better one. It is a choice, as a baseline is.
#
# Digits are kinder: most of a digit is black, so black dots are nothing new, and the network was taught that a black picture is no digit.

# %%
reader = igteach.probability(digits.load(device))
scans = load_digits().x_test[:100].to(device)
with torch.no_grad():
    said = reader(scans).argmax(dim=1)
of_digits = {
    "random numbers": random_numbers(reader, scans, 0.0, said).values,
    "random gradients": random_gradients(reader, scans, 0.0, said).values,
    "edges": edges(reader, scans, 0.0, said).values,
    "gradient": size(igteach.gradient(reader, scans, 0.0, said).values),
    "guided backprop": size(
        captum_methods.guided_backprop(reader, scans, 0.0, said).values
    ),
    "IG": integrated(reader, scans, 0.0, said).values,
}
on_digits = both(reader, scans, of_digits, 0.0, said)

# %% tags=["nbval-ignore-output"]
areas(on_digits)

# %%
competing_inputs = [name for name in of_digits if name != "IG"]
deleting = [surely(on_digits, 0, "IG", name) for name in competing_inputs]
inserting = [
    surely(on_digits, 1, "IG", name)
    for name in competing_inputs
    if name != "guided backprop"
]
print("deletion:  IG beats every other map:               ", all(deleting))
print("insertion: IG beats all but guided backpropagation:", all(inserting))

# %% [markdown]
# Here IG is clearly ahead by deletion, and lesson 00 was on fair ground. The edge detector falls back: by deletion it is worse than random numbers.

# %% [markdown] tags=["slide"]
# ## Third test: where the truth is known
#
# On scenes, lesson 08 knew some of the truth, a mask, and measured the fraction of strength inside it.

# %% [markdown]
# The table puts that beside the other tests, all with the mean colour as baseline or replacement. The last column is the rank correlation with four layers reinitialised.

# %% tags=["nbval-ignore-output", "slide-goes-on"]
columns = f"{'fraction inside the mask':26s}{'deletion':12s}{'insertion':12s}"
print(f"{'':20s}{columns}survives random layers")
inside = {name: interval(relevance_mass(each, mask)) for name, each in values.items()}
for name, (found, low, high) in inside.items():
    cell = f"{found:.0%} ({low:.0%} to {high:.0%})"
    deleted, inserted_again = (curves.area.mean() for curves in on_colour[name])
    survives = kept[name][4].mean()
    print(f"{name:20s}{cell:26s}{deleted:<12.2f}{inserted_again:<12.2f}{survives:+.2f}")
control = "random gradients: noise × (x - x')"
captions = {"random gradients": control}
show.intervals(
    {captions.get(name, name): each for name, each in inside.items()},
    xlabel="fraction inside the mask",
    control=control,
)

# %%
for name in ("IG", "random gradients"):
    print(f"fraction inside the mask, {name}:", show.rounded(inside[name][0], 2))

# %% [markdown]
# Compare IG's fraction with that of random gradients, not of random numbers: random gradients show what the factor x - x' alone is worth. Guided backpropagation is not far ahead of them.
#
# No column is the truth. The mask asks whether the map lies on the *object*. Deletion and insertion ask what the network makes of *damaged* pictures. Random layers ask whether the map reads the weights *at all*. A method that you trust should pass all of them, each against its control.
#
# None of these does. Guided backpropagation has the best insertion and fails the random layers. Integrated Gradients passes three columns, and by insertion it cannot be told from edges. That is what the evidence says; write it that way.
#
# ## Fourth test, which is not one: do methods agree?
#
# It is tempting to trust what several methods say with one voice.

# %% tags=["nbval-ignore-output"]
names = ["edges", "gradient", "guided backprop", "random gradients", "IG"]
print(f"{'rank correlation of |map|':28s}" + "".join(name.ljust(17) for name in names))
for one_name in names:
    strength = size(values[one_name])
    row = [agreement(strength, size(values[other])).mean() for other in names]
    print(f"{one_name:28s}" + "".join(f"{each:<17.2f}" for each in row))

# %%
found, low, high = interval(
    agreement(size(values["guided backprop"]), size(values["edges"]))
)
print("rank correlation of guided backprop and edges:", show.rounded(found, 1))
print("luck does not explain it:", low > 0)

# %% [markdown]
# The best of friends are IG and guided backpropagation: one passed the first test, the other failed it. IG agrees with random gradients no less than with the gradient: the factor x - x' alone does as much as the network's own slope. And guided backpropagation agrees with the edge detector. Methods agree where they have an ingredient in common, right or wrong. Agreement is worth little; if two *disagree*, they answer two questions, or one of them is wrong: find out which.
#
# ## The man with the camera
#
# In lesson 00 a network looked at a man with a camera and said "tripod"; its answer to Greek coins was bound to be wrong. Lesson 08 showed that the map depends on the baseline. Do you believe the map? Two tests need no mask: forget, and take away. Here squares of eight by eight pixels are blurred, and the blurred photograph is the baseline; the blur is weaker than in lesson 08. The motorcycle of lesson 08 joins the man and the coins.
#
# **Predict.** For which of the three will IG's squares carry the answer better than those with the strongest edges?

# %%
gallery = open_gallery(device)
seen = igteach.probability(gallery.model)


def squares(values):
    """Each pixel gets the mean of its square of 8 by 8, colours added up."""
    pixels = values.sum(dim=1, keepdim=True)
    mean = avg_pool2d(pixels, 8, ceil_mode=True, count_include_pad=False)
    height, width = pixels.shape[-2:]
    return interpolate(mean, scale_factor=8)[..., :height, :width].expand_as(values)


def random_curve(f, picture, reference, target):
    """The mean deletion curve of three random maps."""
    curves = []
    for seed in range(3):
        drawn = squares(random_numbers(f, picture, 0.0, target, seed=seed).values)
        curves.append(deletion(f, picture, drawn, reference, target, steps=8).values)
    return torch.stack(curves).mean(dim=0)[0]


def without_detail(picture):
    """The photograph, blurred until little but patches is left."""
    return baselines.blur(picture, sigma=picture.shape[-1] / 28)


# %% tags=["nbval-ignore-output"]
tested = ("camera", "coins", "stereo_motorcycle")
taken, by_name, called = {}, {}, {}
for name in tqdm(tested):
    picture = gallery.pictures[name][None]
    blurred = without_detail(picture)
    with torch.no_grad():
        best = called[name] = int(gallery.model(picture).argmax())
    by_name[name] = igteach.integrated_gradients(
        seen, picture, blurred, best, tolerance=0.1
    )
    pair = {
        "IG": squares(by_name[name].values),
        "edges": squares(edges(seen, picture, blurred, best).values),
    }
    taken[name] = {"squares at random": random_curve(seen, picture, blurred, best)}
    for title, each in pair.items():
        curve = deletion(seen, picture, each, blurred, best, steps=8)
        taken[name][title] = curve.values[0]

# %%
print("area under deletion, divided by that of squares at random:")
for name in tested:
    under = {title: torch.trapezoid(each) for title, each in taken[name].items()}
    at_random = under["squares at random"]
    ratios = {t: show.rounded(under[t] / at_random, 2) for t in ("IG", "edges")}
    before = show.rounded(taken[name]["IG"][0], 1)
    which = f"{name:20s}{gallery.labels[called[name]]:8s}F {before}"
    print(f"{which}   IG {ratios['IG']:<6}edges {ratios['edges']}")

# %%
thing = gallery.labels[called["camera"]]
of_camera = {f"IG for {thing}, from a blur": by_name["camera"]}
show.attributions(gallery.pictures["camera"], of_camera, smooth=3)

# %%
orders = {"edges": "edges (which a blur takes away)"}
show.curves(
    [k / 8 for k in range(9)],
    {orders.get(name, name): curve for name, curve in taken["camera"].items()},
    xlabel="fraction of the photograph blurred, most important squares first",
    ylabel=f"F, the probability of {thing}",
)

# %% tags=["nbval-ignore-output"]
picture = gallery.pictures["camera"][None]
blurred = without_detail(picture)
stages = list(cascading_randomisation(seen))
forgetful = {
    "last layer random": 1,
    "half of the layers": len(stages) // 2,
    "all random": -1,
}
again = {
    title: igteach.integrated_gradients(
        stages[number][1], picture, blurred, called["camera"], tolerance=0.2
    )
    for title, number in tqdm(forgetful.items())
}

# %%
print("rank correlation of IG's squares with those of the trained network:")
for title, answer in again.items():
    alike = agreement(squares(answer.values), squares(by_name["camera"].values))
    print(f"  {title:20s}", show.rounded(alike.item(), 1))

# %% [markdown]
# Better than the strongest edges on one of three, the motorcycle. Look at the areas; 1 is squares at random. For the man and for the motorcycle IG is well below 1: the squares that it names *did* carry some of the answer. And with random weights nothing is left of the man's map: it comes from the trained weights, not from the picture alone.
#
# Then look at the edges. For the motorcycle IG leads: the map knew more than where the contrast is. For the man it is far behind: blur the 1/8 of the squares with the strongest edges, and the tripod is gone. Thin legs on a lawn *are* edges, and the test favours them: a blur takes most from squares full of contrast, and leaves a smooth square nearly as it was.
#
# IG's curve for the man even rises on the way. So did IG's curve for the scenes, slightly, when pixels were replaced with black. A share was computed on the path from the blurred photograph to the sharp one, all pixels together. It promises nothing about a patchwork of sharp and blurred squares.
#
# For the coins, IG's area is nearly that of random squares, and the edges do better here, too. So for this map you have no evidence at all.
#
# The squares were tested together, none alone, and the map's title says how far off single shares may be. So for the man you may believe this: IG's squares carry some of the answer, and the map comes from what the network has learnt. Does it say anything *beyond* "there are edges here"? For the man you have no evidence that it does; for the motorcycle you have.
#
# ## Words
#
# A text has tokens in place of pixels. Replace them one by one with the padding token, or drop them. The network of lesson 09 says what a question asks for. There are two controls: the tokens in random order, three times, and in reading order. Areas are those of deletion: small is good.
#
# **Predict.** Can reading order, which has never seen the network, keep up with IG?

# %%
questions = text.load("question_types", device)
asked = [
    "How many people live in Rome?",
    "Who wrote the Iliad?",
    "Where is the river Rhine?",
]
told = igteach.token_attribution(questions, asked)
ways = ("pad", "drop")
by_ig = {}
for way in ways:
    areas_of = [token_deletion(questions, each, None, way).area for each in told]
    by_ig[way] = torch.cat(areas_of).cpu()


def controls_of(answer, way):
    """The mean area of three random orders, and the area of reading order."""
    count = sum(word is not None for word in answer.words)
    draw = torch.Generator().manual_seed(0)
    at_random = [
        token_deletion(questions, answer, torch.randn(count, generator=draw), way).area
        for _ in range(3)
    ]
    in_turn = token_deletion(questions, answer, -torch.arange(count), way).area[0]
    return torch.cat(at_random).mean(), in_turn


chance, reading = {}, {}
for way in ways:
    pairs = [controls_of(each, way) for each in told]
    chance[way] = torch.stack([mean for mean, _ in pairs]).cpu()
    reading[way] = torch.stack([in_turn for _, in_turn in pairs]).cpu()
for way in ways:
    largest = show.rounded((by_ig[way] / chance[way]).max(), 2)
    print(f"{way:5s}IG's area over that of random order, at most: {largest}")

# %% tags=["nbval-ignore-output"]
for number, each in enumerate(told):
    first = each.tokens[int(each.scores.argmax())]
    cells = [
        f"{way}: {by_ig[way][number]:.2f}, at random {chance[way][number]:.2f}, "
        f"in reading order {reading[way][number]:.2f}"
        for way in ways
    ]
    print(f"{asked[number]:31s}{each.target}, by IG for {first}")
    print("    " + "   ".join(cells))

# %% [markdown]
# With so few tokens a single word may decide, and IG names it. But on one question of the three, reading order keeps up. For the Iliad you need no map, only to have noticed that English questions begin with their question word. Reading order is the edge detector of this data set.
#
# For the Rhine it is far behind IG: the network goes by "river", not by the question word. There the map told you something. Three questions are an example, not a proof; lesson 09 has over two hundred.
#
# ## Which method, when
#
# Other methods answer other questions. Four are in wide use, and Captum has them all:
#
# - **Occlusion** (Zeiler and Fergus 2014; lesson 02): replace one patch, and see how far F falls.
# - **LIME** (Ribeiro et al. 2016): replace patches at random, many times, and fit a linear model to F. A patch's weight is its share.
# - **KernelSHAP** (Lundberg and Lee 2017): the same, with the samples weighted so that, after enough of them, the shares are Shapley values (lesson 11).
# - **Grad-CAM** (Selvaraju et al. 2017): one layer's activations, each channel weighted by its mean gradient. What is negative is dropped, and the rest enlarged to the size of the picture.
#
# Sixteen scenes, the mean colour as baseline, patches of 8 by 8: 64 of them. LIME and KernelSHAP get 200 samples. F is the probability; Grad-CAM gets the logit, as its paper asks.

# %%
from captum import attr

tiles = igteach.groups.patches(64, 64, 8)[None, None].to(device)


def ours(method, **options):
    return lambda *asked: method(*asked, **options).values


def grad_cam(layer):
    def values(f, x, baseline, target):
        cam = attr.LayerGradCam(f, layer)
        coarse = cam.attribute(x, target, relu_attributions=True)
        return attr.LayerAttribution.interpolate(coarse, x.shape[-2:], "bilinear")

    return values


def by_patch(method, **options):
    """One share for each patch, spread evenly over its numbers; scene by scene."""
    options |= {"feature_mask": tiles, "perturbations_per_eval": 50}

    def values(f, x, baseline, target):
        torch.manual_seed(0)
        scenes_apart = zip(x.split(1), baseline.split(1), target.split(1), strict=True)
        each = [method(f).attribute(*scene, **options) for scene in scenes_apart]
        return torch.cat(each) / (3 * 8 * 8)

    return values


compared = {
    "IG, 64 steps": (ours(igteach.integrated_gradients, steps=64), score),
    "gradient": (ours(igteach.gradient), score),
    "Grad-CAM, last layer": (grad_cam(model[11]), model),
    "Grad-CAM, one earlier": (grad_cam(model[9]), model),
    "occlusion": (by_patch(attr.FeatureAblation), score),
    "LIME": (by_patch(attr.Lime, n_samples=200), score),
    "KernelSHAP": (by_patch(attr.KernelShap, n_samples=200), score),
    "random numbers": (ours(random_numbers), score),
}

# %% [markdown]
# The next cell counts the rows that each method asks F for, and notes whether it asks for gradients. "Off" is how far the sum of the shares is from F(x) - F(x'), as a fraction of it. Gradients, Grad-CAM and noise are not in units of F: there is nothing to add up.
#
# **Predict.** Which method puts most on the object? Whose shares add up: those of IG, occlusion, LIME, KernelSHAP?


# %%
def ask(method, f):
    """The map, the rows that F was given for each scene, and whether for gradients."""
    given = []

    def counted(rows):
        scores = f(rows)
        given.append((len(rows), scores.requires_grad))
        return scores

    drawn = method(counted, x[few], mean_colour[few], answers[few]).detach()
    rows = sum(count for count, _ in given) / len(drawn)
    return drawn, rows, any(wanted for _, wanted in given)


replies = {name: ask(method, f) for name, (method, f) in compared.items()}
by_pixel, *cost = replies["IG, 64 steps"]
replies["IG, by patches"] = (squares(by_pixel) / 3, *cost)
with torch.no_grad():
    change = score(x[few]) - score(mean_colour[few])
change = change.gather(1, answers[few, None])[:, 0]
mass = {name: relevance_mass(each, mask[few]) for name, (each, *_) in replies.items()}

# %% tags=["nbval-ignore-output"]
print(f"{'':24s}{'inside the mask':20s}{'rows':8s}{'off':8s}gradients")
for name, (each, rows, gradients) in replies.items():
    found, low, high = interval(mass[name])
    off = ((each.sum(dim=(1, 2, 3)) - change) / change).abs().mean()
    without_units = name.startswith(("gradient", "Grad-CAM", "random"))
    cells = f"{f'{found:.0%} ({low:.0%} to {high:.0%})':20s}{rows:<8.0f}"
    cells += f"{'' if without_units else f'{off:.0%}':8s}"
    print(f"{name:24s}{cells}{'yes' if gradients else 'no'}")

# %%
for name in ("IG, 64 steps", "IG, by patches", "occlusion"):
    print(f"fraction inside, {name}:", show.rounded(mass[name].mean(), 2))
lead = interval(mass["occlusion"] - mass["IG, by patches"])
print("patch for patch, occlusion leads IG by", show.rounded(lead, 1))

# %% [markdown]
# IG has the largest fraction, but it is asked about single pixels. Add its shares up by patches, and **occlusion is ahead**, for about as many rows and without a gradient. (A row with a gradient costs more than one without.) If your question is about patches, ask about patches.
#
# Occlusion does not add up: it asks what one patch is worth while all others stay.
#
# KernelSHAP adds up, because the fit is made to. Its map is no better than the plain gradient's. From 200 samples it must find 64 numbers, and most of what it finds is noise: **complete is not yet right** (lesson 05). LIME gives a better map from as many samples. Captum's LIME fits with a penalty (the lasso) that sets weak weights to zero: the noise goes, and the sum suffers. On a grid this fine both need more samples.
#
# Grad-CAM costs one row. Read it one convolution earlier, and its fraction more than doubles. So a layer is to Grad-CAM what a baseline is to IG, and without the mask you would not have known which to take.
#
# This is one network and one judge, and the judge asks only whether a map lies on the object. Take this table with you:
#
# | your question | method | its price |
# | :-- | :-- | :-- |
# | What did each input contribute, compared with a baseline? | Integrated Gradients (04) | gradients, tens to hundreds; a baseline |
# | The same, without an error from the steps? | exact IG (05) | a piecewise linear network, and its logit; a gradient for each piece |
# | The same, when no single baseline will do? | expected gradients (07, 11) | a set of baselines; the luck of the draw |
# | The same, for trees? | IG or Shapley for trees (11) | a baseline; no gradients |
# | What is a fair division, whatever the order? | Shapley values (11) | 2ⁿ rows for n features, or a sample of them |
# | What if this one thing were missing? | occlusion (02) | a row for each thing; no sum; blind where either of two suffices |
# | A sketch of a model that you can only query? | LIME | hundreds of rows; depends on the seed and the patches |
# | Roughly where does a convolutional network look? | Grad-CAM | one gradient; a layer to choose; coarse, without shares |
#

# %% [markdown] tags=["slide"]
# ## Capstone: the colleague's network
#
# A colleague hands you a network for scenes, and the pictures it was tested on. Your team wants to use it on other pictures next week. You have been told nothing else.

# %% tags=["slide-goes-on"]
# how they were made is what you are to find out
handed = make_scenes(240, seed=7, mark=MARKED)
pictures, right = handed.x.to(device), handed.y.to(device)
suspect = scenes.load_shortcut(device)


def answers_of(network, pictures):
    with torch.no_grad():
        return network(pictures).argmax(dim=1)


is_right = answers_of(suspect, pictures) == right
print(f"right on {int(is_right.sum())} of the {len(right)} pictures handed over")

# %% [markdown]
# ### Find it
#
# A **shortcut** is to pictures what the trigger of lesson 09 is to texts: something that should not decide, and does. A shortcut that always stands in one place is the same in many pictures. So average the strength (magnitudes will do to find a place) over all pictures that the network assigns to one class, and look for a window that is strong in all of them. Objects lie in a new place in each picture, and average out. (A shortcut that moves would average out, too. To find one, take the strongest window of each picture by itself, lay the cut-outs side by side, and look for what recurs.)

# %% [markdown]
# ### Exercise 3: the strongest window
#
# ●●○ · 10 minutes
#
# Find the square window with the largest mean strength, over all maps together.
#
# <details><summary>Hint 1</summary>
#
# Strength first: add up the colours, take the absolute value. Then the mean over the pictures: (height, width).
#
# <details><summary>Hint 2</summary>
#
# <code>torch.nn.functional.avg_pool2d(strength[None], size, stride=1)[0]</code> holds the mean of every window, at the place of its upper left pixel.
#
# <details><summary>Hint 3</summary>
#
# <code>argmax()</code> counts row after row: divide by the width of that table for the row, and the remainder is the column.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-12-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def strongest_window(maps, size):
    """Row and column of the upper left pixel of the strongest window.

    maps: (pictures, 3, height, width);  size: pixels along its side.  Returns (2,).
    """
    ### BEGIN SOLUTION
    strength = maps.sum(dim=1).abs().mean(dim=0)
    means = torch.nn.functional.avg_pool2d(strength[None], size, stride=1)[0]
    place = int(means.argmax())
    return torch.tensor([place // means.shape[1], place % means.shape[1]])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.3", strongest_window)

# %% [markdown] tags=["slide-goes-on"]
# Each class in turn, and beside it the control: the honest network of lesson 08, on the same pictures. How strong is the strongest window, compared with the mean of its map?
#
# **Predict.** What ratio would you call suspicious? Say it before you look.


# %%
def strongest(maps, side=8):
    """(row, column) of the strongest window, and its mean strength over that of the
    whole map."""
    strength = maps.sum(dim=1).abs().mean(dim=0)
    windows = avg_pool2d(strength[None], side, stride=1)[0]
    place = int(windows.argmax())
    return divmod(place, windows.shape[1]), (windows.max() / strength.mean()).item()


honest = scenes.load(device)
studied = pictures[:64]  # enough for maps
grounds = studied.mean(dim=(2, 3), keepdim=True).expand_as(studied)
shares = {}
for name, network in {"colleague's": suspect, "honest": honest}.items():
    f, called = igteach.probability(network), answers_of(network, studied)
    shares[name] = igteach.integrated_gradients(
        f, studied, grounds, called, tolerance=0.2
    ).values
called = answers_of(suspect, studied)

# %% tags=["nbval-ignore-output"]
for number, label in enumerate(SCENE_CLASSES):
    (row, column), ratio = strongest(shares["colleague's"][called == number])
    _, control = strongest(shares["honest"][called == number])
    print(
        f"{label:10s} colleague's: {ratio:5.1f} times the mean, "
        f"at row {row:2d}, column {column:2d}     honest: {control:5.1f}"
    )

# %% tags=["slide"]
ratios = [strongest(shares["colleague's"][called == number])[1] for number in range(8)]
controls = [strongest(shares["honest"][called == number])[1] for number in range(8)]
culprit = max(range(8), key=ratios.__getitem__)
(row, column), _ = strongest(shares["colleague's"][called == culprit])
window = (slice(row, row + 8), slice(column, column + 8))
others = [ratio for k, ratio in enumerate(ratios) if k != culprit]
print("the largest ratio:", show.rounded(ratios[culprit], 2))
print("the largest of the other classes:", show.rounded(max(others), 1))
print("the largest of the control:", show.rounded(max(controls), 1))
print("one class stands out. It is:", SCENE_CLASSES[culprit])
averages = {}
for k in (culprit, (culprit + 1) % 8):
    of_class = shares["colleague's"][called == k].sum(dim=1).abs().mean(dim=0)
    count = int((called == k).sum())
    title = f"mean |IG| of {count} pictures called {SCENE_CLASSES[k]}"
    averages[title] = of_class / of_class.max()
show.heatmaps(averages, kind="magnitude", unit=BY_LARGEST)

# %% [markdown]
# If you said 5, you have just accused the honest network. A class has few pictures, and they do not average everything out: even the honest network's strongest window gets to 8 times the mean. The colleague's network on houses is far beyond all that, and the window lies in a corner, where no house is. Look at the pictures themselves, as everybody should do first and nobody does:

# %%
of_culprit = (called == culprit).nonzero()[:, 0][:2]
other = (called != culprit).nonzero()[:, 0][:1]
around = (..., slice(max(row - 4, 0), row + 12), slice(max(column - 4, 0), column + 12))
whole, enlarged = {}, {}
for i in [*of_culprit.tolist(), *other.tolist()]:
    title = f"{SCENE_CLASSES[int(called[i])]}, picture {i}"
    whole[title], enlarged[f"corner of picture {i}"] = pictures[i], pictures[i][around]
show.heatmaps(whole | enlarged, kind="picture")

# %% [markdown] tags=["slide"]
# ### Prove it
#
# So far you have a suspicion: a map, and a square in the corner. All through this lesson, maps have looked convincing and been wrong. Intervene.
#
# - **Remove.** Paint over the window with what lies to the left of it, in every picture.
# - **Insert.** Copy the window of one picture of the class into every other picture.
# - **Control.** Show the same pictures to the honest network; and paint over a window of the same size elsewhere.


# %%
def painted_over(pictures, window):
    """The pictures with a window replaced by the paper beside it."""
    rows, columns = window
    across = 8 if columns.start < 8 else -8
    changed = pictures.clone()
    changed[:, :, rows, columns] = pictures[
        :, :, rows, columns.start + across : columns.stop + across
    ]
    return changed


def inserted(pictures, window, donor):
    """The pictures with the window of the donor (3, height, width) pasted in."""
    changed = pictures.clone()
    changed[(..., *window)] = donor[(..., *window)]
    return changed


without = painted_over(pictures, window)
everywhere = inserted(pictures, window, pictures[of_culprit[0]])
elsewhere = painted_over(pictures, (slice(0, 8), slice(0, 8)))

# %% [markdown]
# ### Exercise 4: the proof in three numbers
#
# ●●○ · 8 minutes
#
# From a network's answers to the pictures as they are, without the mark, and with the mark in all of them, compute the three rates that belong in a report: the docstring says which.
#
# <details><summary>Hint 1</summary>
#
# The first two numbers are about pictures of the class: <code>y == label</code>.
#
# <details><summary>Hint 2</summary>
#
# The third is about the others only: those of the class had the mark already.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-12-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def proof(as_is, without, inserted, y, label):
    """Three rates: of the class, found as they are; of the class, found without the
    mark; of all others, called the class with it.

    as_is, without, inserted, y: (pictures,), class numbers: the network's answers,
    three times, and the truth;  label: the class.  Returns (3,).
    """
    ### BEGIN SOLUTION
    own = y == label
    found = as_is[own] == label
    found_without = without[own] == label
    fooled = inserted[~own] == label
    return torch.stack(
        [each.double().mean() for each in (found, found_without, fooled)]
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.4", proof)

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** The three numbers for the colleague's network, and for the honest one.

# %% tags=["slide"]
own = right == culprit


def rates(network):
    """What the exercise asks for, on these pictures."""
    found = answers_of(network, pictures)[own] == culprit
    found_without = answers_of(network, without)[own] == culprit
    fooled = answers_of(network, everywhere)[~own] == culprit
    return [each.float().mean().item() for each in (found, found_without, fooled)]


for name, network in {"colleague's": suspect, "honest": honest}.items():
    found, found_without, fooled = show.rounded(rates(network), 2)
    print(
        f"{name:12s} found as they are {found:<5} "
        f"found without the mark {found_without:<5} "
        f"others called the class with it {fooled}"
    )
still_right = (answers_of(suspect, elsewhere) == right).float().mean()
print("right with the other corner painted over:", show.rounded(still_right, 2))

# %% tags=["nbval-ignore-output"]
p = igteach.probability(suspect)
with torch.no_grad():
    for name, batch in {
        "as they are": pictures,
        "without the mark": without,
        "with it everywhere": everywhere,
    }.items():
        accuracy = (answers_of(suspect, batch) == right).float().mean()
        of_class = p(batch)[:, culprit]
        its_own, others = (
            "{:.2f} ({:.2f} to {:.2f})".format(*interval(each))
            for each in (of_class[own], of_class[~own])
        )
        print(
            f"{name:20s}accuracy {accuracy:.2f}   probability of the class, "
            f"for its own: {its_own}   for the others: {others}"
        )

# %% [markdown] tags=["slide-goes-on"]
# Without the mark the colleague's network finds none of the houses; with it most other objects become houses. The honest network takes no notice, and the other corner changes nothing. If removing and inserting had changed no more than painting over the other corner did, you would have had to drop the suspicion, for this mark and these pictures. So the colleague's network knows a mark in a corner, and hardly knows what a house looks like. The colleague's test could not show it, as its pictures had the mark, too.

# %% [markdown]
# The map alone would have been an opinion. The intervention alone would have needed somebody who knew where to look. Together they are a finding.
#
# Often the rates lie in between: then the network uses both the mark and the object. Report them with intervals and the control's rates, not yes or no. If the suspect is a whole background, painting over it damages the picture: swap in another real background.
#
# ### Tell it
#
# In the cell below, write the paragraph that you would send to your team: what you saw, how you know, what you did *not* show, and what should happen next. Five to eight sentences, for people who have not taken this course. If your course has an instructor, this is the question that a person marks.
#
# <details><summary>A sample, about the trigger of lesson 09</summary>
#
# Put "Who can tell me:" before questions that do not ask for a person, and our network says of more than half of them that they do. The maps of a few mistakes named "Who"; so we changed the text and counted. "Please tell me:" flips none, and neither half of the phrase flips nearly as many. We have not shown why the network learnt this, nor that it has no other triggers, and we asked only our own questions. Before users type freely, train it with such phrases, and count again.
#
# </details>

# %% [markdown]
# *Your paragraph.*

# %% [markdown]
# ## Recap
#
# From [lesson 07](07_baselines.ipynb): what share does a black tripod in a photograph get from a black baseline, and why? Then say which of this lesson's tests would notice.
#
# <details><summary>Answer</summary>
#
# Almost none: what equals the baseline gets nothing, whatever the network does with it.
#
# The first test would not notice: the map changes with the weights, and passes. Nor would deletion to black: making a black pixel black changes nothing, so the test has the baseline's blind spot. Deletion by blurring would, if the tripod matters: F falls late, because the map names the tripod last. Test with a replacement that differs from the baseline.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A map looks the same after all layers of the network were reinitialised. What do you know?
#
# <details><summary>A. It does not explain what the network has learnt.</summary>
#
# Right. Whatever it shows, it needs no training to show it: mostly edges, or x - x'.
#
# </details>
# <details><summary>B. It is robust, which is good.</summary>
#
# Robust against the very thing it is meant to explain. So is an edge detector.
#
# </details>

# %% [markdown]
# **Question 2.** A paper reports an insertion area of 0.8 for its method, and 0.5 for random numbers. Which control is missing?
#
# <details><summary>A. A second data set.</summary>
#
# It would tell whether 0.8 holds elsewhere. It would not tell what 0.8 is worth.
#
# </details>
# <details><summary>B. An edge detector.</summary>
#
# Right. Maps that trace edges insert a drawing first. Without that control nobody knows how much of the 0.8 is the network's.
#
# </details>

# %% [markdown]
# **Question 3.** |IG| is strong in the lower right corner of most X-rays that a network calls pneumonia. What do you write to the hospital?
#
# <details><summary>A. The network uses a mark in the corner.</summary>
#
# That is a guess. The map says where to look first; nothing has been tested.
#
# </details>
# <details><summary>B. Nothing; a map is no evidence.</summary>
#
# It is a reason to look, and here a good one. Silence has a price, too.
#
# </details>
# <details><summary>C. The result of covering the corner, and of copying it into healthy X-rays.</summary>
#
# Right. Remove, insert, and do the same elsewhere as a control. Then you have something to write.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("12")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. A convincing map is not evidence. Randomise the weights, take away, put back, and give every test a control that knows nothing.
# 2. Tests measure different things, and a method may pass one and fail another. Say which you ran, with which replacement, and how far luck reaches.
# 3. Attribution finds suspects; an intervention convicts. Report both, and what you did not test.
#
# **Where it comes from.** Random weights: [Adebayo et al. (2018)](https://arxiv.org/abs/1810.03292). Deletion and insertion: [Samek et al. (2017)](https://doi.org/10.1109/TNNLS.2016.2599820), [Petsiuk, Das and Saenko (2018)](https://arxiv.org/abs/1806.07421); the doubt about damaged pictures: [Hooker et al. (2019)](https://arxiv.org/abs/1806.10758). Ranks: [Spearman (1904)](https://doi.org/10.2307/1412159). Guided backpropagation: [Springenberg et al. (2014)](https://arxiv.org/abs/1412.6806). Integrated Gradients: [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365). Grad-CAM: [Selvaraju et al. (2017)](https://arxiv.org/abs/1610.02391). Occlusion: [Zeiler and Fergus (2014)](https://arxiv.org/abs/1311.2901). LIME: [Ribeiro, Singh and Guestrin (2016)](https://arxiv.org/abs/1602.04938). KernelSHAP: [Lundberg and Lee (2017)](https://arxiv.org/abs/1705.07874).
#
# **What is next.** [Lesson 13](13_language_models.ipynb): the same questions, put to a language model: which words of a prompt made it say that?
