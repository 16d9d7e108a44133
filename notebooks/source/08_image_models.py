# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 08 · Image models
#
# **The question.** A heat map lies over a photograph and looks convincing. How would you know that it is right?
#
# **You will be able to**
# - score a method against pictures whose truth is known, with an interval and a control;
# - keep the preprocessing inside F, so that a baseline is what you think it is;
# - say whether you explain a logit, a probability or log odds, and why it matters;
# - draw an attribution so that nobody is misled by the drawing.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb), [lesson 05](05_computing_the_integral.ipynb) and [lesson 07](07_baselines.ipynb).
#
# **Time.** 60 minutes, exercises included.
#
# **GPU.** It makes the gallery and the table faster. The answers are the same.

# %%
import torch
from IPython.display import display
from torch import nn

import igteach
from igteach import baselines, explore, show
from igteach.datasets import load_digits
from igteach.datasets.photographs import load_photograph
from igteach.datasets.scenes import SCENE_CLASSES, make_scenes
from igteach.evaluate import interval, pointing_game, share_inside
from igteach.exercises import check
from igteach.models import digits, scenes
from igteach.models.gallery import open_gallery

device = igteach.device()

# %% [markdown]
# ## A picture with the truth attached
#
# Nobody knows which pixels of a photograph decided. So begin where somebody does. The pictures below are drawn by code: paper cut-outs on patterned paper. There are eight shapes to tell apart. Colours, patterns, places, sizes and the bits and pieces around are drawn by lot, without regard to the shape. Whatever a network knows about the answer, it must know from the pixels of the object.
#
# The code that draws a scene knows these pixels, and hands over a **mask**.

# %%
drawn = make_scenes(100, seed=0)
x, mask = drawn.x.to(device), drawn.mask.to(device)
model = scenes.load()
score = igteach.probability(model)
with torch.no_grad():
    answers = model(x).argmax(dim=1)

first = int((drawn.y == SCENE_CLASSES.index("fish")).nonzero()[0])
show.attributions(x[first], {"the mask": mask[first].float()}, mask=mask[first])

# %%
print("this one shows a", SCENE_CLASSES[drawn.y[first]], "and the network says", SCENE_CLASSES[answers[first]])
print("the network is right on at least 97 of 100 scenes that it has not seen:", bool((answers.cpu() == drawn.y).sum() >= 97))
print("the object takes less than a tenth of a picture, on average:", bool(mask.double().mean() < 0.1))

# %% [markdown]
# **Predict.** Gradient, gradient × input, Integrated Gradients: all against a black picture, where they need one. Which of them will put most of its strength inside the outline? More than half of it?

# %%
def smoothed(f, x, baseline=None, target=None):
    """The gradient, averaged over ten noisy copies of the picture."""
    return igteach.smoothgrad(f, x, baseline, target, deviation=0.1, samples=10)


def integrated(f, x, baseline=None, target=None):
    return igteach.integrated_gradients(f, x, baseline, target, rule="warped", steps=24)


methods = {
    "gradient": igteach.gradient,
    "smoothed gradient": smoothed,
    "gradient x input": igteach.gradient_times_input,
    "IG": integrated,
}
one, label = x[first : first + 1], int(answers[first])
show.attributions(x[first], {name: method(score, one, target=label) for name, method in methods.items()}, mask=mask[first])

# %% [markdown]
# Two of the maps are nearly empty. At this picture the network is sure, and the slope has gone (lesson 02). The others have something on the object and a good deal elsewhere. Which is best? Your eye has an answer, and your eye has been wrong before. Count.
#
# In words: take the strength of each pixel, and ask what part of all strength lies on the object. A pixel has three colours and one place, so add up its colours first; strength has no sign, so the sign goes last.
#
# $$\text{share inside} \;=\; \frac{\sum_{p \,\in\, \text{object}} \left|\sum_c \mathrm{A}_{c,p}\right|}{\sum_{p} \left|\sum_c \mathrm{A}_{c,p}\right|}$$

# %% [markdown]
# ### Exercise 1: the share inside
#
# ●○○ · 5 minutes
#
# Write it for one picture.
#
# <details><summary>Hint 1</summary>
#
# <code>values.sum(dim=0)</code> adds up the colours of each pixel.
#
# <details><summary>Hint 2</summary>
#
# A mask of True and False picks pixels: <code>strength[mask]</code>.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-08-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def inside(values, mask):
    """The part of all |share| that lies inside the mask.

    values: (3, height, width);  mask: (height, width), bool.  Returns one number from 0 to 1.
    """
    ### BEGIN SOLUTION
    strength = values.sum(dim=0).abs()
    return strength[mask].sum() / strength.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("08.1", inside)

# %% [markdown]
# It is `share_inside` in `igteach.evaluate`, for many pictures at once. Beside it stands a cruder judge, the **pointing game**: one point if the strongest pixel of all lies on the object, none if not.
#
# A score needs something to be compared with. The **control** is a map of random numbers, which has never seen a network.
#
# ## A hundred pictures, and luck
#
# One picture proves nothing. Take a hundred. Even then the mean is a matter of which hundred: draw others, and it moves. How far? You cannot draw others for ever, so the *bootstrap* (Efron 1979) draws from those you have. It takes 100 scores out of the 100, with repeats, averages them, and does so a few thousand times. Where the middle 95% of these averages lie, there luck may have put yours.

# %% [markdown]
# ### Exercise 2: how far luck may reach
#
# ●●○ · 8 minutes
#
# <details><summary>Hint 1</summary>
#
# <code>scores[draws]</code> has the shape of draws: one row for each time of drawing anew.
#
# <details><summary>Hint 2</summary>
#
# Average each row. Then look for two numbers that leave 2.5% of the averages below, and 2.5% above.
#
# <details><summary>Hint 3</summary>
#
# <code>torch.quantile</code> takes the parts as a tensor: <code>torch.tensor([0.025, 0.975])</code>.
#
# </details></details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-08-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reach_of_luck(scores, draws):
    """Low and high: the middle 95% of the means that other draws of pictures might have given.

    scores: (pictures,);  draws: (times, pictures), numbers of pictures with repeats.  Returns (2,).
    """
    ### BEGIN SOLUTION
    return scores[draws].mean(dim=1).quantile(torch.tensor([0.025, 0.975]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-08-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("08.2", reach_of_luck)

# %% [markdown]
# `interval` in `igteach.evaluate` does this with SciPy. Now every method, on a hundred scenes.

# %%
noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(device)
against_black = {name: method(score, x, target=answers) for name, method in methods.items()}
maps = {"random numbers": noise} | {name: answer.values for name, answer in against_black.items()}


def table(maps):
    """Prints both scores of each map with their intervals; returns those of the share inside."""
    print(f"{'':38s}{'share inside':24s}pointing game")
    found = {}
    for name, values in maps.items():
        found[name] = interval(share_inside(values, mask))
        cells = [f"{mean:.0%} ({low:.0%} to {high:.0%})" for mean, low, high in (found[name], interval(pointing_game(values, mask)))]
        print(f"{name:38s}{cells[0]:24s}{cells[1]}")
    return found


# %% tags=["nbval-ignore-output"]
from_black = table(maps)
show.intervals(from_black, xlabel="share inside the object", control="random numbers")

# %%
mean, low, high = range(3)
print("every method beats random numbers, beyond luck:", all(from_black[name][low] > from_black["random numbers"][high] for name in methods))
print("IG beats the gradient, beyond luck:            ", from_black["IG"][low] > from_black["gradient"][high])
print("IG puts over half of its strength on the object:", from_black["IG"][mean] > 0.5)

# %% [markdown]
# Integrated Gradients come out first, and it is no triumph: most of their strength lies on paper that has nothing to do with the answer. Smoothing, which makes maps look better, does not make them more right here.
#
# You might conclude that IG is a poor method, or that this network looks at the paper. Before you write that down, recall the first law of baselines from lesson 07. A share is a slope times x - x', and x - x' is in *your* hands. Against black, every sheet of bright paper travels a long way. You asked why this picture is not a black one, and paper is part of the answer.
#
# ## The same method, asked better
#
# Two more baselines:
#
# - **its mean colour**: the whole picture in the mean of its own colours. Most of the paper hardly moves.
# - **without the object**: the very same scene before the object was laid on it. Only code that draws its own pictures can have that one.
#
# **Predict.** What will the score be against each?

# %%
starts = {
    "black": torch.zeros_like(x),
    "mean colour": x.mean(dim=(2, 3), keepdim=True).expand_as(x),
    "without the object": drawn.background.to(device),
}
by_start = {"black": against_black["IG"]}
for name in ("mean colour", "without the object"):
    by_start[name] = integrated(score, x, starts[name], answers)
show.attributions(x[first], {f"against {name}": answer.values[first] for name, answer in by_start.items()}, mask=mask[first])

# %% tags=["nbval-ignore-output"]
asked_better = table({f"{name}: IG": answer.values for name, answer in by_start.items()})
show.intervals(asked_better, xlabel="share inside the object")

# %%
print("mean colour beats black, beyond luck:         ", asked_better["mean colour: IG"][low] > asked_better["black: IG"][high])
print("without the object it is over three quarters: ", asked_better["without the object: IG"][mean] > 0.75)
print("complete within 5%, nine pictures in ten:     ", all((answer.relative_residual < 0.05).double().mean() > 0.9 for answer in by_start.values()))

# %% [markdown]
# One network, one method, one hundred pictures, and the score goes from poor to splendid. Nothing was improved but the question.
#
# Splendid? Be as strict with good news as with bad. Against the scene without its object, x - x' is exactly zero everywhere but on the object and its shadow. *Any* slopes would be multiplied by that. So the control must get the same help: random slopes, times the same x - x'.
#
# **Predict.** What will random slopes score, without the object?

# %% tags=["nbval-ignore-output"]
rivals = {}
for name, start in starts.items():
    rivals[f"{name}: IG"] = by_start[name].values
    rivals[f"{name}: gradient x input"] = igteach.gradient_times_input(score, x, start, answers).values
    rivals[f"{name}: random slopes"] = noise * (x - start)
scored = table(rivals)
show.intervals(scored, xlabel="share inside the object")

# %%
for name in starts:
    ours, random = scored[f"{name}: IG"][mean], scored[f"{name}: random slopes"][mean]
    print(f"{name:20s} IG scores at least twice what random slopes do: {ours > 2 * random!s:6s} the two are within 0.05: {abs(ours - random) < 0.05}")
print("against the mean colour IG beats gradient x input, beyond luck:", scored["mean colour: IG"][low] > scored["mean colour: gradient x input"][high])

# %% [markdown]
# The best score of all was worth nothing. Without the object, random slopes do as well as Integrated Gradients: the answer was in the question. Against the mean colour random slopes get something for free too, and IG gets far more. *That* difference is what the network told you.
#
# - A score without a control is a number without a meaning.
# - The control must be given everything that the method was given, except the network.
# - The soft shadow lies outside the mask, though it follows the outline. A perfect method would lose a little there, so even a hundred percent is not to be expected.
#
# ## Photographs
#
# Now to pictures where nobody knows. SqueezeNet (Iandola et al. 2016) tells a thousand things apart in photographs. Like most such networks it does not take pixels from 0 to 1. It wants them *normalised*: less ImageNet's mean colour, divided by a deviation, for red, green and blue each.
#
# **Predict.** You pass a normalised photograph and no baseline, so zeros. What picture did you compare with?

# %% [markdown]
# ### Exercise 3: black
#
# ●○○ · 5 minutes
#
# Make the black picture as a network takes it that subtracts a mean and divides by a deviation.
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
# Zeros were grey. The mistake is common and silent: the shares add up, to the difference from a picture that nobody meant.
#
# A cure is to put the preprocessing **inside F**. Then F takes pixels from 0 to 1, black is 0, white is 1, and x - x' is what you see. By the chain rule the shares stay the same: the deviation that divides a slope multiplies a way. In code it is a module of two lines:
#
# ```python
# class OfPictures(nn.Module):
#     def forward(self, x):
#         return self.network(normalise(x))
# ```
#
# The gallery below comes so wrapped. Its network's weights are fetched once, 5 MB; where they are not to be had, it opens with five scenes and the network of this lesson, and says so.

# %% tags=["nbval-ignore-output"]
gallery = open_gallery(device)
print(gallery.note)
chosen = {}
with torch.no_grad():
    for name, picture in gallery.pictures.items():
        sure, best = gallery.model(picture[None]).softmax(dim=1)[0].max(dim=0)
        chosen[name] = int(best)
        print(f"{name:20s}{gallery.labels[chosen[name]]}, {sure:.2f}")

# %% [markdown]
# The coins again. There is no coin among the thousand classes, so its answer was bound to be wrong. Four methods, on each picture, against black; smoothing is done to IG now.
#
# **Predict.** Where do you expect the light squares, for each answer above?

# %% tags=["nbval-ignore-output"]
def smoothed_ig(f, x, baseline=None, target=None):
    """IG, averaged over three noisy copies of the picture."""
    return igteach.smoothgrad(f, x, baseline, target, method=igteach.integrated_gradients, deviation=0.02, samples=3, steps=12)


def walked(f, x, baseline=None, target=None):
    return igteach.integrated_gradients(f, x, baseline, target, rule="warped", steps=32)


seen = igteach.probability(gallery.model)
in_turn = {"gradient": igteach.gradient, "gradient x input": igteach.gradient_times_input, "IG": walked, "smoothed IG": smoothed_ig}
explained = {}
for name, picture in gallery.pictures.items():
    explained[name] = {title: method(seen, picture[None], 0.0, chosen[name]) for title, method in in_turn.items()}
    print(f"{name}: {gallery.labels[chosen[name]]}")
    display(show.attributions(picture, explained[name]))

# %% [markdown]
# Here is the question of the head. Some of these maps look convincing. What do you know about them?
#
# - The line under each title says how far IG's shares are from adding up, and how far off single ones may be. That is known.
# - Where the light squares form the shape of a thing that you would have named, *you* are pleased. That is not evidence. On the scenes a splendid score was worth nothing.
# - The gradient's scale is its own: other units, other colours.
# - Smoothing needs a size for its noise, and the usual 0.1 is too much for some networks. See what is left of the answer:

# %% tags=["nbval-ignore-output"]
for deviation in (0.02, 0.1):
    for name, picture in gallery.pictures.items():
        grain = torch.randn(5, *picture.shape, generator=torch.Generator().manual_seed(0)).to(picture)
        with torch.no_grad():
            left = seen(picture + deviation * grain)[:, chosen[name]].mean().item()
        print(f"noise of {deviation:<5} {name:20s} mean probability of {gallery.labels[chosen[name]]}: {left:.2f}")

# %% [markdown]
# A map smoothed with noise in which the network sees nothing explains nothing. Its residual says so: the shares belong to the noisy copies, and add up to what *they* gain.
#
# One test is always open to you: another baseline. What stays, belongs to the picture.

# %% tags=["nbval-ignore-output"]
name = next(iter(gallery.pictures))
picture = gallery.pictures[name][None]
grounds = {"black": torch.zeros_like(picture), "white": torch.ones_like(picture), "blur": baselines.blur(picture, sigma=picture.shape[-1] / 16)}
for title, ground in grounds.items():
    opinion, there = baselines.neutrality(seen, ground).item(), seen(ground)[0, chosen[name]].item()
    print(f"{title:8s} neutrality (0 is no opinion): {opinion:.2f}   F(x'): {there:.3f}")
against = {"against black": explained[name]["IG"]} | {f"against {title}": walked(seen, picture, grounds[title], chosen[name]) for title in ("white", "blur")}
show.attributions(picture[0], against, view="overlay")

# %% [markdown]
# ## What is F?
#
# So far F was the probability of a class. Many programs explain the **logit**, the number before the softmax. Does it matter?
#
# Here is a network that answers exactly as ours does. It adds one and the same number to all eight logits, a number that grows with the brightness of the picture. No probability changes, no answer changes: softmax only looks at differences.

# %%
class Lifted(nn.Module):
    """The network, with the brightness of the picture added to every logit."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + 50 * x.mean(dim=(1, 2, 3))[:, None]


lifted = Lifted(model)
with torch.no_grad():
    print("same probabilities to 0.0001:", bool((lifted(x).softmax(dim=1) - model(x).softmax(dim=1)).abs().max() < 1e-4))

# %% [markdown]
# **Predict.** Two networks, one behaviour. Will the shares in the logit agree? In the probability?

# %%
colour = starts["mean colour"][first : first + 1]
pairs = {}
for name, wrap in {"logit": igteach.logit, "probability": igteach.probability}.items():
    pairs[name] = [integrated(wrap(network), one, 0.0, label).values[0] for network in (model, lifted)]
panels = {f"{name}, {which}": values for name, pair in pairs.items() for which, values in zip(("ours", "lifted"), pair)}
show.attributions(x[first], {title: panels[title] for title in panels if title.startswith("logit")}, mask=mask[first])

# %%
for name, (ours, theirs) in pairs.items():
    print(f"{name:12s} the two maps are the same to 1%: {bool((ours - theirs).norm() < 0.01 * ours.norm())}")

# %% [markdown]
# A logit has no zero of its own. Only differences between logits decide, so a share of one logit may be a share of nothing at all. A probability does not have this fault, and has another: near 0 and near 1 it hardly moves, so nearly all of the path may count for nothing (lesson 02).
#
# There is a third choice that has neither. The **log odds** are the logarithm of the chance for, over the chance against:
#
# $$\log \frac{p}{1 - p} \;=\; z_{\text{target}} - \log \sum_{k \ne \text{target}} e^{z_k}.$$
#
# What is added to all logits cancels, and nothing goes flat.

# %% [markdown]
# ### Exercise 4: log odds
#
# ●●○ · 8 minutes
#
# Compute them from logits.
#
# <details><summary>Hint 1</summary>
#
# <code>p / (1 - p)</code> breaks where p is 1 to the last digit. The right side of the formula does not.
#
# <details><summary>Hint 2</summary>
#
# Put <code>-torch.inf</code> in place of the target's logit (in a clone), and <code>logsumexp(dim=1)</code> leaves it out.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-08-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_odds(logits, target):
    """The logarithm of the chance for a class, over the chance against it.

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
    """F: the log odds of the class that the network chose for this scene."""

    def f(x):
        z = network(x)
        others = z.clone()
        others[:, label] = -torch.inf
        return z[:, label] - others.logsumexp(dim=1)

    return f


ours, theirs = (integrated(odds(network), one, 0.0).values[0] for network in (model, lifted))
print("log odds     the two maps are the same to 1%:", bool((ours - theirs).norm() < 0.01 * ours.norm()))
by_f = [share_inside(integrated(f, one, colour, label).values, mask[first : first + 1]) for f in (igteach.logit(model), score)]
print("on this scene, from its mean colour, logit and probability score within 0.15 of one another:", bool((by_f[0] - by_f[1]).abs() < 0.15))

# %% [markdown]
# On our own network the choice hardly shows, as its logits happen to be tame. You only know it because you looked. Say which F you explained, always.
#
# ## Showing it honestly
#
# The numbers are right; now the drawing can lie. Three drawings of one and the same map:

# %%
again = by_start["mean colour"].values[first]
display(show.attributions(x[first], {"as it is": again}))
display(show.attributions(x[first], {"clipped": again}, percentile=90))
display(show.attributions(x[first], {"the strongest 5%": again}, view="top"))

# %% [markdown]
# The first keeps the largest value as the strongest colour, so that one pixel may set the scale for all. The second clips: a tenth of all pixels now look equally strong, and weak ones look strong. The third throws 95% away, sizes as well, and is the most convincing of the three.
#
# None is wrong, if the caption says what was done. Read the line under each figure. The rules of `show.attributions`:
#
# 1. **Signed.** A share against the answer has a colour of its own.
# 2. **One scale** for all maps in a row, unless they have other units. A map drawn on a scale of its own always looks busy, even one of rounding errors.
# 3. **Nothing in silence.** Summed over colours, clipped, cut to the top: it is said.
# 4. **The residual is printed.** A map that does not add up says so itself.
#
# ## Your turn
#
# In JupyterLab the pictures below have controls. On a web page they stand still.
#
# Walk the path. Where does the probability rise, and what does the gradient look like before and after?

# %% tags=["nbval-ignore-output"]
explore.path(score, one, colour, label)

# %% [markdown]
# How many steps does a digit need? Its exact shares are known (lesson 05). Find a rule and a number of steps where the residual is small and the error is not.

# %% tags=["nbval-ignore-output"]
digit = load_digits().x_test[:1].to(device)
reader = digits.load()
said = int(reader(digit).argmax())
exact = igteach.exact_integrated_gradients(igteach.logit(reader), digit, 0.0, said)
explore.steps(igteach.logit(reader), digit, 0.0, said, exact)

# %% [markdown]
# Four baselines, two at a time.

# %% tags=["nbval-ignore-output"]
choices = {name: start[first : first + 1] for name, start in starts.items()}
explore.baseline(score, one, choices | {"white": 1.0}, label)

# %% [markdown]
# And a picture of your own. It stays on your machine.

# %% tags=["nbval-ignore-output"]
def explain(image):
    """A picture file to a figure: the network's answer, and IG against black."""
    mine = gallery.prepare(image).to(device)
    best = int(gallery.model(mine[None]).argmax())
    return show.attributions(mine, {gallery.labels[best]: walked(seen, mine[None], 0.0, best)}, view="overlay")


explore.your_picture(explain, load_photograph("chelsea"))

# %% [markdown]
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): the residual of a map is below 0.1%. Which of its shares may still be wrong?
#
# <details><summary>Answer</summary>
#
# Any of them. A residual is one number, the error of the sum, and errors of two shares can cancel in it. That is why the line under a map also gives an estimate of the error, and why a truth such as the mask is worth the trouble.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** A method scores 83% inside the mask. Is that good?
#
# <details><summary>A. Yes, most of its strength is where it belongs.</summary>
#
# In this lesson random slopes scored as much, once they were multiplied by an x - x' that was zero elsewhere.
#
# </details>
# <details><summary>B. It depends on what a map without a network scores in the same place.</summary>
#
# Right. The difference from a control that was given all but the network is what the network told you.
#
# </details>

# %% [markdown]
# **Question 2.** You explain a logit. A colleague adds the same number to all logits of the network, one that depends on the picture. Which of your maps change?
#
# <details><summary>A. None: the network's answers are the same.</summary>
#
# Its answers are, and so are probabilities and log odds. The logit itself is not.
#
# </details>
# <details><summary>B. Those of the logit.</summary>
#
# Right. Its shares now hold those of the number that was added, though no decision depends on it.
#
# </details>
# <details><summary>C. All of them.</summary>
#
# A probability and log odds see differences between logits only, and these stay as they are.
#
# </details>

# %% [markdown]
# **Question 3.** Two methods, each drawn on a scale of its own, look equally strong. What do you know about their values?
#
# <details><summary>A. They are about equally large.</summary>
#
# Each was stretched until its largest value had the strongest colour.
#
# </details>
# <details><summary>B. Nothing.</summary>
#
# Right. Put them on one scale, or read the numbers at the bars.
#
# </details>

# %% [markdown]
# ## In three lines
#
# **Take away.**
#
# 1. Where the truth is known, count; give an interval, and a control that was given all but the network.
# 2. A share is a slope times x - x'. Part of every good score comes from the baseline, so ask what x - x' alone would get.
# 3. Say what F is, put the preprocessing inside it, and draw signed values on one scale with the residual beside them.
#
# **Where it comes from.** Integrated Gradients on photographs: Sundararajan, Taly and Yan (2017). SqueezeNet: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer (2016). The pointing game: Zhang et al. (2016). The bootstrap: Efron (1979). Smoothing: Smilkov, Thorat, Kim, Viégas and Wattenberg (2017). Scenes with a known truth as a test of attributions: Yang and Kim (2019). Convincing maps that know nothing of the model: Adebayo et al. (2018).
#
# **What is next.** Lesson 09: from pixels to words, where a baseline is harder to come by.
