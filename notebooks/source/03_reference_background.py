# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 03 · A reference background
#
# **The question.** "The large cell nuclei made the network say malignant." Large compared with what?
#
# **You will be able to**
# - say why importance is always measured against something, and choose that something;
# - turn a gradient into shares of F(x) - F(x'), and say for which functions they are exact;
# - measure how much of the difference these shares leave out.
#
# **You need** [lesson 02](02_saturation.ipynb).
#
# **Time.** 40 minutes, exercises included.
#
# **GPU.** It changes nothing here; the network is small.

# %%
from collections import Counter

import torch

import igteach
from igteach import show
from igteach.datasets import load_patients
from igteach.exercises import check
from igteach.models import patients

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## Which words matter in a text?
#
# Count them, you might say. Of these two texts, the first is about the tides and the second about nothing in particular.

# %% tags=["slide-goes-on"]
tides = """
the sea comes up the beach and goes down the beach again and at night
the sea does the same and the moon is high
under the full moon the tide is the highest of the month and
under the half moon the tide is the lowest of the month
the tide is the long wave and the moon is what pulls the wave and the land turns
under the moon and meets the tide
"""
anything = """
the man goes down the road in the night and the dog is in front of the man and the
wind is cold and the road is the longest
the woman comes up the stairs and turns the light on and the room is
the same room and the letter is on the table in the hall
the train is late again and the people under the clock do what the
people do and the rain is the worst of the week
the house is the oldest of the street and the land under the house is the
land of the man and the man is gone
"""


def counts(text, words):
    found = Counter(text.split())
    return torch.tensor([float(found[word]) for word in words])


words = sorted(set(tides.split()) | set(anything.split()))
of_tides, of_anything = counts(tides, words), counts(anything, words)
top = of_tides.argsort(descending=True, stable=True)[:4]
print("most frequent:", [words[i] for i in top])

# %% [markdown] tags=["slide-goes-on"]
# Nobody would say that this text is about "the". "The" is frequent here because it is frequent everywhere. What marks a text is what it has *more of than other texts do*.
#
# **Predict.** From each word's frequency in this text, subtract its frequency in the other. Which words come out on top?

# %% [markdown]
# ### Exercise 1: counts against a corpus
#
# ●○○ · 5 minutes
#
# Write that difference. A frequency is a count divided by the sum of all counts.
#
# <details><summary>Hint 1</summary>
#
# Text and corpus differ in length. Divide each by its own sum first.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "answer-03-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relative_counts(text, corpus):
    """How much more frequent each word is in the text than in the corpus.

    text, corpus: (words,) counts.  Returns (words,): signed differences of frequencies.
    """
    ### BEGIN SOLUTION
    return text / text.sum() - corpus / corpus.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-03-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("03.1", relative_counts)

# %% tags=["slide"]
against = of_tides / of_tides.sum() - of_anything / of_anything.sum()
top = against.argsort(descending=True, stable=True)[:4]
print("most above the other text:", [words[i] for i in top])

# %% [markdown] tags=["slide-goes-on"]
# The moon and the tide come out on top, and "the" is gone. (Third place is a tie of four words, beach, month, sea and wave, and the alphabet chose two.)
#
# One text, one way of counting, two lists; and the second knows what the text is about. What changed is the **background**. Nothing is important in itself, only against something.

# %% [markdown] tags=["slide"]
# ## A patient
#
# One of this course's networks judges a breast lump by thirty measurements of its cell nuclei. The table of patients comes with scikit-learn (Wolberg, Mangasarian, Street and Street 1993). Here, among the patients that the network has not seen, is the one to whom it gives the highest probability of a malignant lump.

# %% tags=["slide-goes-on"]
model = patients.load()
data = load_patients()
score = igteach.probability(model)
everyone = data.x_test.to(device)
chosen = int(score(everyone)[:, 0].argmax())
patient = everyone[chosen : chosen + 1]

largest = patient[0].argsort(descending=True)[:2].tolist()
print(f"P(malignant) = {score(patient).item():.2f}")
print("the largest measurements:", [data.names[i] for i in largest])

# %% [markdown] tags=["slide-goes-on"]
# The largest numbers are areas, because areas come in large numbers. "Area 2,000" says nothing until you know what is usual.

# %% [markdown] tags=["slide"]
# Now put it as the question of this course. F(x) is P(malignant), a probability, for this patient x. We need a background x', which lesson 00 called the baseline, and then shares of
#
# $$F(x) - F(x').$$
#
# That difference is what there is to distribute. Three candidates for x': a patient whose measurements are all zero; the healthiest patient in the table; the average patient, with the mean of every measurement.
#
# **Predict.** What will the network say about a patient whose nuclei have no size?

# %% tags=["slide"]
average = data.x_train.mean(dim=0, keepdim=True).to(device)
zero = torch.zeros_like(average)
train = data.x_train.to(device)
healthiest = train[score(train)[:, 0].argmin()][None]

candidates = {"zero": zero, "healthiest": healthiest, "average": average}
for name, candidate in candidates.items():
    print(f"{name:10s} P(malignant) = {score(candidate).item():.2f}")

# %% [markdown] tags=["slide-goes-on"]
# The network calls a patient without nuclei healthy, and is sure of it. It has never seen one: its answer there means nothing, and a difference from it means little.
# Against the healthiest patient, every sick one is explained as "not like her", which may be what you want. For the average patient the network is nearly undecided, so whatever tips the decision comes from this patient. Two backgrounds ask two questions, and neither answer is wrong. A feature that equals its background gets nothing.

# %% [markdown]
# Call a background *neutral* if F has no preference there. What that means depends on F. For this F, the probability of one of two answers, it means one half. For its log odds, log(P / (1 - P)), it means 0: the same patients are neutral, since P = 1/2 gives log odds 0. For one of ten digits, in lesson 00, it meant one tenth. A regression, such as a price, has no neutral value: take the case that your reader compares with, such as a typical house, and state F(x').

# %% [markdown] tags=["slide-goes-on"]
# That is the working rule: **choose x' where your F is neutral, and where your reader would say "nothing in particular".** Lesson 07 asks how far it carries.

# %% [markdown]
# ### Exercise 2: the most neutral candidate
#
# ●○○ · 5 minutes
#
# Of several candidates, find the one whose score is nearest to neutral.
#
# <details><summary>Hint 1</summary>
#
# A distance has no sign. <code>argmin()</code> returns the index of the smallest entry.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "answer-03-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def most_neutral(f, candidates, neutral):
    """The index of the candidate whose score is nearest to neutral.

    f: (N, features) -> (N,);  candidates: (N, features);  neutral: float.
    Returns one number.
    """
    ### BEGIN SOLUTION
    return (f(candidates) - neutral).abs().argmin()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-03-2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("03.2", most_neutral)

# %% [markdown] tags=["slide"]
# ## The first-order share
#
# Given a background, the gradient of lesson 01 becomes a share. Feature i went from $x'_i$ to $x_i$. If the slope of F were everywhere what it is at x, the feature would contribute
#
# $$\text{share}_i \;=\; \frac{\partial F}{\partial x_i}(x)\;(x_i - x'_i).$$
#
# A share is in units of F and needs no scaling: with the feature in other units, the displacement changes by a factor, the slope by its inverse. (Convert x' together with x: 0 °F is not 0 °C.) The method is known as **gradient × input**. Here is the package's version on a linear score of three measurements:

# %% tags=["slide-goes-on"]
linear = igteach.toy(lambda a, b, c: 2 * a - 3 * b + 0.5 * c + 1)
x = torch.tensor([[1.0, 2.0, 4.0]], device=device)
background = torch.tensor([[0.0, 1.0, 1.0]], device=device)
answer = igteach.gradient_times_input(linear, x, background)
shares, total = show.rounded(answer.values), show.rounded(answer.values.sum())
gained = show.rounded(answer.f_input - answer.f_baseline)
print("shares:", shares, "  sum:", total, "  F(x) - F(x'):", gained)

# %% [markdown]
# ### Exercise 4: shares of raw measurements
#
# ●●○ · 8 minutes
#
# The network of this lesson takes raw measurements. Many do not: every measurement is standardised first, to (measurement - mean) / deviation, and the network sees only that. Your reader thinks in raw measurements, and the patient and the background are given to you as raw measurements, too. Write the first-order share of each measurement, for such a network.
#
# <details><summary>Hint 1</summary>
#
# The network must be asked at a point that it understands.
#
# <details><summary>Hint 2</summary>
#
# In a share the units cancel: the slope is F per unit, the displacement is in that unit. In which unit is your slope?
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-03-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def raw_shares(f, measured, background, mean, deviation):
    """Each measurement's first-order share of F(patient) - F(background).

    f: (N, features) -> (N,), takes standardised measurements;
    measured, background: (1, features), raw;  mean, deviation: (features,).
    Returns (1, features).
    """
    ### BEGIN SOLUTION
    x = (measured - mean) / deviation
    return igteach.gradient(f, x).values * (measured - background) / deviation
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-03-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("03.4", raw_shares)

# %% [markdown]
# For a linear F the shares are exact against any background: the slope at x is the slope everywhere.

# %% [markdown] tags=["slide"]
# ## Where it goes wrong, and by how much
#
# **Predict.** The network is not linear, and it is very sure of this patient. How much of F(x) - F(x') will the first-order shares add up to: nearly all, about half, or next to nothing?

# %% tags=["slide"]
first_order = igteach.gradient_times_input(score, patient, average)
gained = (first_order.f_input - first_order.f_baseline)[0]
fraction = first_order.values.sum() / gained
print("explained fraction of F(x) - F(x'):", show.rounded(fraction, 1))

# %% [markdown]
# Next to nothing: this is the saturation of lesson 02. Is it only this patient? For every held-out patient, see what fraction of the difference is explained: 1 would be all of it, with a residual of zero.
# We take two choices of F: the probability, and the log odds, the network's logit before its final sigmoid. This shows how much of the shortfall is due to the sigmoid. Each curve is sorted by itself, so the same place on two curves need not be the same patient.


# %% tags=["slide-goes-on"]
def explained(f):
    """Sum of the first-order shares over F(x) - F(x') for every patient, ascending."""
    answer = igteach.gradient_times_input(f, everyone, average)
    gained = answer.f_input - answer.f_baseline
    return (answer.values.sum(dim=1) / gained).sort().values


fractions = {
    "probability": explained(score),
    "log odds": explained(igteach.logit(model)),
}
rank = torch.linspace(0, 100, len(everyone))
show.curves(
    rank,
    fractions | {"all of it": torch.ones(len(everyone))},
    xlabel="patients, in percent",
    ylabel="explained fraction",
)

# %% tags=["slide-goes-on"]
for name, values in fractions.items():
    print(f"{name}: median explained fraction {float(values.median()):.1f}")

# %% [markdown]
# The shares of the probability add up to far too little for nearly everyone: the sigmoid has flattened out. Those of the log odds do better but still fall short: the network bends as well. A few patients come out above 1, up to nearly 2: their F is close to that of the average patient, so we divide by a small difference.
# The background gave us the right *question*: a difference to distribute. The slope at x is a poor *answer*, because it holds only at x. Scaling the shares until they add up repairs the sum, not the shares: their proportions are still those of the slope at x.
#
# The slope at another point need not do better. In lesson 02, F(x) = 1 - ReLU(1 - x) climbs by 1 between x = 0 and x = 2, so the right slope is one half; but its slope is 1 or 0, nowhere one half. Lesson 04 averages over all points on the path.
# The patients come back in lesson 07, where the background is called into question, and in lesson 11, with a model that has no gradient.
#
# ## Recap
#
# From [lesson 01](01_naive_gradients.ipynb): the first-order estimate of a change and the first-order shares look alike. What is the difference?
#
# <details><summary>Answer</summary>
#
# The estimate looks ahead: from x, along a small step d. The shares look back: from x, over the whole distance to x', which is not small. The formula is the same, and so is the condition under which it holds.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Debug from the sum. F is linear, and the shares from your own code add up to exactly minus F(x) - F(x'), that is, to F(x') - F(x). What did you swap?
#
# <details><summary>A. x and x' in the displacement.</summary>
#
# Right. With x' - x in place of x - x' every share has its sign flipped, and so has the sum. The residual is then minus twice the difference.
#
# </details>
# <details><summary>B. x and x' in the gradient.</summary>
#
# For a linear F the slope is the same at both, so that swap does not show. On a curved F it would change the sum, but by no fixed factor.
#
# </details>
# <details><summary>C. Nothing; you forgot the factor x - x'.</summary>
#
# Then your shares are the bare slopes. Their sum does not know the baseline, and would hit F(x') - F(x) only by chance.
#
# </details>

# %% [markdown]
# **Question 2.** A colleague measures the area in square centimetres instead of square micrometres, and converts it back inside the network. Which of these stays the same?
#
# <details><summary>A. The gradient with respect to the area.</summary>
#
# It changes by the factor between the units.
#
# </details>
# <details><summary>B. The first-order share of the area.</summary>
#
# Right. The slope and the distance change by inverse factors. A share is in units of F.
#
# </details>

# %% [markdown]
# **Question 3.** Why is a patient of zeros a poor background for this network?
#
# <details><summary>A. The gradient is zero there.</summary>
#
# It need not be, and the first-order share does not use the gradient at the background.
#
# </details>
# <details><summary>B. No patient is like that, so the network's answer means nothing; and P(malignant) there is far from one half.</summary>
#
# Right. Both count: the first means that no reader has such a patient in mind, the second that F is not neutral for her.
#
# </details>
# <details><summary>C. Zero is never a good background.</summary>
#
# It can be: for a digit, zero is the picture without ink.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("03")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Importance is relative. An attribution distributes F(x) - F(x'), so say what x' is.
# 2. Choose x' where your F is neutral (a probability of two answers at one half, log odds at 0) and where a reader would see nothing in particular.
# 3. Gradient times (x - x') is exact for a linear F. Where F bends or saturates on the path, it is off, and the residual says by how much.
#
# **Where it comes from.** Baselines and their neutrality: Sundararajan, Taly and Yan (2017). Gradient times input: Shrikumar et al. (2016). The table: Wolberg, Mangasarian, Street and Street (1993).
#
# **What is next.** [Lesson 04](04_integrated_gradients.ipynb): the average slope, which puts it right.
