# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 13 · Language models
#
# **The question.** Which words of the prompt made the model say that?
#
# **You will be able to**
# - ask a language model one question at a time: why this token, rather than that one;
# - tell from the residual and the error estimate when an attribution to a prompt is meaningless, and fix it;
# - choose a baseline that asks what you want to know, often another prompt;
# - test attributions where the right answer is known, and by knocking out parts of a large model.
#
# **You need** [lesson 05](05_computing_the_integral.ipynb), [lesson 07](07_baselines.ipynb) and [lesson 09](09_text_models.ipynb). Conductance comes from [lesson 11](11_beyond.ipynb), controls from [lesson 12](12_trust.ipynb).
#
# **Time.** 120 minutes, exercises included. A good place for a break is after the audit.
#
# **GPU.** It makes every answer faster. The answers are the same.
#
# **Graded.** 120 seconds a cell, 300 seconds in all, 5 GB of memory.

# %%
import torch

import igteach
from igteach import show, token_attribution
from igteach.datasets.lookup import make_lookups
from igteach.datasets.prompt_curves import OTHER_PROMPT, PROMPT, load_prompt_curves
from igteach.evaluate import interval
from igteach.exercises import check
from igteach.methods.heads import component_conductance, mean_of_heads, without_heads
from igteach.models import lookup, smollm2

device = igteach.device()

# %% [markdown]
# ## A model that continues a text
#
# A language model reads tokens and gives a number, a logit, to every token that might come next. SmolLM2-135M-Instruct (Ben Allal et al. 2025) is a small one: 135 million parameters in 30 layers, and a vocabulary of 49,152 tokens. `igteach fetch` puts it on your machine. Where it is missing, a far smaller model stands in: every cell runs, but the text describes SmolLM2.

# %%
if smollm2.find():
    model = smollm2.load(device)
    names = (PROMPT, OTHER_PROMPT, " Mary", " John")
    capital = (
        "The capital of France is",
        "The capital of England is",
        " Paris",
        " London",
    )
    nurse = (
        "The nurse told the doctor that",
        "The doctor told the nurse that",
        " she",
        " he",
    )
    story = (
        "Anna lost her keys. She looked for the",
        "Paul lost his phone. He looked for the",
        " keys, but she",
    )
else:
    print("SmolLM2 is not on this machine; run: igteach fetch")
    model = lookup.load(device)
    names = ("k3 v7 k1 v2 k3", "k1 v7 k3 v2 k1", "v7", "v2")
    capital = ("k3 v7 k1 v2 k3", "k3 v7 k1 v2 k1", "v7", "v2")
    nurse = ("k5 v1 k8 v9 k5", "k8 v1 k5 v9 k5", "v1", "v9")
    story = ("k5 v1 k8 v9 k5", "k8 v9 k5 v1 k8", "v1 k8 v9")

for prompt, *_ in (names, capital, nurse):
    print(prompt)
    for token, chance in model.likeliest(prompt, 3):
        print(f"    {token!r:10s}{show.rounded(chance, 2)}")

# %% [markdown]
# Note the space in `' Mary'`: it belongs to the token, and `'Mary'` without it is another one.
#
# ## What is F?
#
# You could explain the probability of "Mary", or its logarithm. But a probability competes with 49,151 others, so its explanation mixes many questions: why a name at all, and not "the"? Why this name? And at .92 a probability is nearly flat (lesson 02).
#
# People who study language models ask for one thing at a time. They take the **logit of one token minus the logit of another**: why "Mary" *rather than* "John"? Whatever raises both logits equally, such as a context that calls for a name, cancels.
#
# $$F(x) \;=\; z_{\text{target}}(x) - z_{\text{against}}(x) \;=\; \log \frac{p_{\text{target}}}{p_{\text{against}}}$$

# %% [markdown]
# ### Exercise 1: a contrast
#
# ●○○ · 5 minutes
#
# Write F for a batch of prompts. A language model predicts the next token after *every* token of a prompt; you want the prediction after the last one.
#
# <details><summary>Hint 1</summary>
#
# <code>logits[:, -1]</code> is what the model says after the last token.
#
# <details><summary>Hint 2</summary>
#
# Subtract one column from another; no softmax is needed.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-13-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def contrast(logits, target, against):
    """The logit of one next token minus that of another.

    logits: (prompts, tokens, vocabulary);  target, against: token ids.
    Returns (prompts,).
    """
    ### BEGIN SOLUTION
    last = logits[:, -1]
    return last[:, target] - last[:, against]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-13-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("13.1", contrast)

# %% [markdown]
# ## An attribution that means nothing
#
# Sundararajan, Taly and Yan (2017) recommend zero embeddings as the baseline for text. Here is Integrated Gradients as lesson 04 writes it, along the word embeddings, in 64 equal steps.
#
# **Predict.** Which three words of the prompt will have the largest shares?

# %% tags=["nbval-ignore-output"]
prompt, other, target, against = names
yes, no = model.token(target), model.token(against)
table = model.model.get_input_embeddings()
x = table(model.encode(prompt).ids).detach()


def f(embeddings):
    z = model.model(inputs_embeds=embeddings, use_cache=False).logits[:, -1]
    return z[:, yes] - z[:, no]


alphas = (torch.arange(64, device=x.device) + 0.5) / 64
slopes = igteach.gradient(f, alphas[:, None, None] * x).values.mean(dim=0)
scores = (slopes * x[0]).sum(dim=1)
show.text(model.encode(prompt).tokens, scores)

# %% [markdown]
# It looks like an explanation. "Mary" leads, and you could tell a story about most of the rest; even "and", the strongest word against her, will fit into one. Before you tell it: do the shares add up?

# %%
with torch.no_grad():
    change = f(x) - f(torch.zeros_like(x))
print("F(x) - F(0):", show.rounded(change.item(), 2))
print("sum of the shares:", show.rounded(scores.sum().item(), 2))
from_zero = token_attribution(
    model, prompt, target, against=against, baseline="zero", steps=64
)
print("estimated error:", show.rounded(from_zero.evidence.error_estimate.item(), 1))
print(from_zero.evidence.verdict)

# %% [markdown]
# The sum is off, and the shares are off by more: the estimated error is lesson 05's, a fraction of all |shares|.
#
# **Predict.** Lesson 05 says what to do: take more steps. How many will it take, 128, 512, or 1,000?
#
# A thousand gradients take a minute, so they were computed once, by `python -m igteach.training prompt_curves`. `data/prompt_curves.md` describes them.

# %%
curves = load_prompt_curves()
show.curves(
    curves.zero_steps,
    {"from zero": curves.zero_residual},
    xlabel="equal steps",
    ylabel="|residual| / |F(x) - F(0)|",
    logarithmic=True,
)

# %% [markdown]
# None of them will do. (That 64 came so near was luck: look at its neighbours.) Look at F along the path to see why, and put alpha on a logarithmic axis: at the right end the prompt, to the left a prompt that is scaled down to almost nothing.

# %%
show.curves(
    curves.log10_alphas,
    {"F": curves.f},
    xlabel="log10 of alpha: 0 is the whole prompt, -10 a ten-billionth of it",
    ylabel="F: Mary's logit minus John's",
)

# %% [markdown]
# F never comes to rest. It swings by several units all the way down to 1e-44, about the smallest positive number that float32 can hold (below 1e-38 it holds only a few digits); and at zero itself all logits are 0, and so is F.
#
# Every layer of this model begins by *normalising* its input: it divides by the root of the mean square, plus a tiny constant. Zeros stay zeros through all 30 layers, since the model has no biases to add. But a prompt at a billionth of its strength is scaled up by each of 61 norms in turn, up to 316 times each. So the model reads a distorted prompt at full strength, and a different one at every scale.
#
# The shares have to account for all of these swings, and with 1,000 equal steps the first gradient is taken at alpha = 0.0005, that is, at -3.3 on this axis. No other rule with so few nodes sees the rest of the picture either. What tells you is the residual. For this model zero is not "no word". It is a place that cannot be approached.
#
# ## Other nothings
#
# Two baselines are in common use. `eos` puts the embedding of the end-of-text token in every place, `mean` the mean of all embeddings. Both have ordinary strength, so the norms have nothing to blow up. How far are the shares from the truth, for how many gradients? The truth took 1,500 of them, spent where the integrand changes most (lesson 05).

# %%
for name in ("end of text", "mean"):
    print(f"{name:12s} residual of the truth: {curves.truth_residual[name]:.3%}")
show.curves(
    curves.spent,
    {
        f"{name}, {how}": errors
        for name in ("end of text", "mean")
        for how, errors in (
            ("equal steps", curves.equal[name]),
            ("refined", curves.refined[name]),
        )
    },
    xlabel="gradients",
    ylabel="error of the shares, 1 is 100%",
    logarithmic=True,
)

# %% [markdown]
# Equal steps get worse on the way to getting better: more of them may land on a narrow peak and count it for far too much. Compare 129 of them with 257, from the mean. Refining where the integrand changes most gets there too, once its first gradients have found the peaks; at 65 it may still be worse than at 33.
#
# So do not ask for steps. Ask for a tolerance: `token_attribution` adds gradients until the estimated error of the shares is below it, 5% unless you say otherwise. Then read the verdict.
#
# **Predict.** "The capital of France is", against the mean embedding: which tokens speak for "Paris" rather than "London"?

# %% tags=["nbval-ignore-output"]
prompt, _, target, against = capital
settled = token_attribution(model, prompt, target, against=against, baseline="mean")
show.text(settled)

# %%
print(f"residual: {settled.evidence.relative_residual.item():.0%} of F(x) - F(x')")
print(f"estimated error: {settled.evidence.error_estimate.item():.0%} of all |shares|")
print(settled.evidence.verdict)
order = settled.scores.abs().argsort(descending=True)[:3]
for i in order:
    print(f"token {int(i)}: {settled.tokens[i]!r}")

# %% [markdown]
# The shares are right. Were you? "France", the one word that tells Paris from London, gets less than "The".
#
# Nothing is wrong with the integral; the *question* is odd. Whatever makes a city likely should cancel in F, and at the prompt itself it does. But the path begins at identical nothings, and for most of its length the model reads no sentence at all. F rises where the prompt becomes one, whichever tokens bring that about, and they get the credit. The answer is to "why this prompt rather than noise?", and you did not ask that.
#
# ## Another prompt
#
# Ask what you want to know. You want to know why "Mary" rather than "John" comes next. So compare with a prompt in which "John" should come next: the same one, names swapped. Both have as many tokens, so each token has a partner, and where the partners are equal, x - x' is zero.
#
# The field calls this a *minimal pair*, or a clean and a corrupted prompt (Wang et al. 2022; Hanna, Pezzelle and Belinkov 2024).

# %% [markdown]
# ### Exercise 2: a baseline from another prompt
#
# ●●○ · 8 minutes
#
# Look up the baseline in the table of embeddings. Some tokens must not move, such as the one with which many models mark the beginning of a text: they keep the prompt's own embedding. (Compute F(x') at the same x'. If a token moves in one and is kept in the other, the shares add up to a wrong number, with any number of steps.)
#
# <details><summary>Hint 1</summary>
#
# <code>table[other]</code> has one row for each token of the other prompt.
#
# <details><summary>Hint 2</summary>
#
# <code>torch.where(keeps[:, None], ..., ...)</code> chooses row by row.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-13-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pair_baseline(table, ids, other, keeps):
    """Where the path begins: at another prompt, except for tokens that are kept.

    table: (vocabulary, width);  ids, other: (tokens,), the two prompts;
    keeps: (tokens,), bool.
    Returns (tokens, width).
    """
    ### BEGIN SOLUTION
    return torch.where(keeps[:, None], table[ids], table[other])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-13-2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("13.2", pair_baseline)

# %% [markdown]
# `baseline=` takes the other prompt as it is. Its path is short and smooth, so a tolerance of 2% costs little.
#
# **Predict.** Three tokens differ: the first "Mary", the first "John", the second "John". Which has the largest share, and does one of them speak *against* "Mary"?

# %% tags=["nbval-ignore-output"]
prompt, other, target, against = names
pair = token_attribution(
    model, prompt, target, against=against, baseline=other, tolerance=0.02
)
show.text(pair)

# %%
spent = [each.evidence.evaluations[0].item() for each in (pair, settled)]
print(f"residual: {pair.evidence.relative_residual.item():.0%} of F(x) - F(x')")
about = int(show.rounded(spent[1], 1))
print(f"gradients: {spent[0]}, and for the answer before about {about}")
named = [
    (token, score) for token, score in zip(pair.tokens, pair.scores.tolist()) if score
]
for token, score in named:
    print(f"{token!r:10s}{show.rounded(score, 2):+}")

# %% [markdown]
# A fraction of the gradients, a residual that vanishes, and an answer one can read. "Mary" in the first place, rather than "John", has the largest share. "John" as the giver, rather than "Mary", speaks for her too: who gives does not receive. And "John" in the second place, rather than "Mary", speaks *against* her. Each share compares two words in one place; the reasons behind them are our story.
#
# A pair has a price: it explains F(x) - F(x') for *this* x'. Here is what happens if only one token differs.

# %%
prompt, other, target, against = capital
one = token_attribution(
    model, prompt, target, against=against, baseline=other, tolerance=0.02
)
with torch.no_grad():
    by_hand = [model.logits(model.encode(each).ids)[0, -1] for each in (prompt, other)]
change = [z[model.token(target)] - z[model.token(against)] for z in by_hand]
print("share of the one token that differs:", show.rounded(one.scores.abs().max(), 2))
print("F(x) - F(x'), by two forward passes:", show.rounded(change[0] - change[1], 2))

# %% [markdown]
# All of it goes to the one token: completeness leaves it no choice, and two forward passes tell as much. So let several tokens differ, or do not call it attribution.
#
# ## An audit in one picture
#
# "The nurse told the doctor that": "she" or "he"? Nothing in the sentence says. If the model leans one way, which word makes it lean?
#
# **Predict.** Against the same sentence with the two people swapped: does "nurse" speak for "she"? Does "doctor"?

# %% tags=["nbval-ignore-output"]
prompt, swapped, target, against = nurse
roles = token_attribution(
    model, prompt, target, against=against, baseline=swapped, tolerance=0.02
)
show.text(roles)

# %%
roles_named = [
    (token, score) for token, score in zip(roles.tokens, roles.scores.tolist()) if score
]
for token, score in roles_named:
    print(f"{token!r:10s}{show.rounded(score, 1):+}")
with torch.no_grad():
    z = torch.stack(
        [model.logits(model.encode(each).ids)[0, -1] for each in (prompt, swapped)]
    )
lean = z[:, model.token(target)] - z[:, model.token(against)]
print("F of the prompt and of the swapped one:", show.rounded(lean, 2))
print(f"residual: {roles.evidence.relative_residual.item():.0%} of F(x) - F(x')")

# %% [markdown]
# Read the last lines first. F is positive for both prompts: the model prefers "she", whoever speaks. And it prefers her *less* where the nurse speaks. That difference, and only that, is what the shares explain. A "nurse" who speaks, rather than a "doctor", raises "she" a little; a "doctor" who is told, rather than a "nurse", lowers it by more.
#
# What it permits you to say: in this sentence, swapping the two moves the odds, and both places take part. What it does not: that the model "is biased against nurses". For a claim about the model, take many sentences and count, with a control in which roles without a stereotype are swapped (lesson 12).

# %% [markdown]
# ## Where the right answer is known
#
# A story that pleases is not evidence. So take a task whose right answer is known. A small model, trained here, has two layers and reads pairs of a key and its value, then a key: "k3 v7 k1 v2 k3". It answers with the value of that key. Three tokens decide, by the rule of the task: the key at the end, the same key before, and its value.

# %%
reader = lookup.load(device)
count, others_each = 30, 6
drawn = make_lookups(count, seed=0)
others = make_lookups(count * others_each, seed=1)
unseen = make_lookups(500, seed=2)
with torch.no_grad():
    ids = torch.cat([reader.encode(each).ids for each in unseen.prompts])
    said = reader.logits(ids)[:, -1].argmax(dim=1).tolist()
right = sum(s == reader.token(a) for s, a in zip(said, unseen.answers))
print("right on", right, "of", len(said), "unseen sequences")
print(drawn.prompts[0], "->", drawn.answers[0])
show.text(drawn.prompts[0].split(), drawn.decides[0].float())

# %% [markdown]
# F is the log-probability of the right value. Every method is scored in two ways: by how much of its strength lies on these three tokens of 13, and by how many of the three are among its three strongest. The competitors:
#
# - **IG, mean**: from the mean embedding;
# - **IG, other prompts**: from six other sequences, averaged (lesson 07's many baselines);
# - **gradient**: the length of each token's gradient;
# - **gradient × (x - x')**, against the mean embedding;
# - **attention**: in the last layer, from the last token, averaged over heads;
# - **deletion**: how much F falls when one token alone is replaced by the mean embedding;
# - **random numbers**, the control.
#
# **Predict.** Put them in order, by the second score.

# %% tags=["nbval-ignore-output"]
mean = reader.model.get_input_embeddings().weight.detach().mean(dim=0)


def by_autograd(prompt, answer):
    """Gradient, gradient x (x - x'), attention and deletion, each (tokens,)."""
    embedded = reader.model.get_input_embeddings()(reader.encode(prompt).ids)
    embedded = embedded.detach().requires_grad_()
    out = reader.model(inputs_embeds=embedded, output_attentions=True)
    log_p = out.logits[0, -1].log_softmax(dim=0)[reader.token(answer)]
    (slope,) = torch.autograd.grad(log_p, embedded)
    tokens = embedded.shape[1]
    holes = embedded.detach().repeat(tokens, 1, 1)  # one copy for each token
    holes[range(tokens), range(tokens)] = mean  # which is missing in its own copy
    with torch.no_grad():
        left = reader.model(inputs_embeds=holes).logits[:, -1].log_softmax(dim=1)
    return {
        "gradient": slope[0].norm(dim=1),
        "gradient x (x - x')": (slope * (embedded - mean)).detach()[0].sum(dim=1),
        "attention": out.attentions[-1][0, :, -1].detach().mean(dim=0),
        "deletion": log_p.detach() - left[:, reader.token(answer)],
    }


found = {name: [] for name in ("IG, mean", "IG, other prompts")}
for i, (sequence, answer) in enumerate(zip(drawn.prompts, drawn.answers)):
    found["IG, mean"].append(token_attribution(reader, sequence, answer).scores)
    starts = others.prompts[others_each * i : others_each * (i + 1)]
    each = [
        token_attribution(reader, sequence, answer, baseline=start, tolerance=0.1)
        for start in starts
    ]
    found["IG, other prompts"].append(
        torch.stack([one.scores for one in each]).mean(dim=0)
    )
    for name, values in by_autograd(sequence, answer).items():
        found.setdefault(name, []).append(values)
found = {name: torch.stack(rows).cpu() for name, rows in found.items()}
found["random numbers"] = torch.randn(
    count, 13, generator=torch.Generator().manual_seed(0)
)


# %% tags=["nbval-ignore-output"]
def hits(strength):
    """Which deciding tokens are among the three strongest, (sequences, 13)."""
    top = torch.zeros_like(drawn.decides).scatter(1, strength.topk(3).indices, True)
    return top & drawn.decides


kinds = {"key": slice(0, 12, 2), "value": slice(1, 12, 2), "asked": slice(12, 13)}
masses, found_of_three = {}, {}
print(f"{'':21s}{'share on the three':22s}{'three strongest':20s}key, value, asked")
for name, scores in found.items():
    strength = scores.abs()
    masses[name] = (strength * drawn.decides).sum(dim=1) / strength.sum(dim=1)
    found_of_three[name] = hits(strength).sum(dim=1) / 3
    cells = []
    for each in (masses[name], found_of_three[name]):
        middle, low, high = interval(each)
        cells.append(f"{middle:.0%} ({low:.0%} to {high:.0%})")
    for kind in kinds.values():
        cells.append(f"{hits(strength)[:, kind].any(dim=1).float().mean():4.0%}")
    print("{:21s}{:22s}{:20s}{} {} {}".format(name, *cells))
ranked = sorted(found_of_three, key=lambda name: -found_of_three[name].mean())
show.intervals(
    {name: interval(found_of_three[name]) for name in ranked},
    xlabel="deciding tokens among the three strongest",
    control="random numbers",
)


# %%
def leads(name, other):
    """Whether one finds more of the three than another, beyond luck."""
    return interval(found_of_three[name] - found_of_three[other])[1] > 0


rest = [name for name in found if name != "random numbers"]
led = sum(leads(name, "random numbers") for name in rest)
print("methods that lead random numbers:", led, "of", len(rest))
print("deletion leads the gradient:", leads("deletion", "gradient"))
print("the gradient leads IG from the mean:", leads("gradient", "IG, mean"))
print("other prompts lead the mean, for IG:", leads("IG, other prompts", "IG, mean"))

# %% [markdown]
# Not the order that a course on Integrated Gradients would choose.
#
# - **Deletion** is perfect. The model fails as soon as any one of the three is gone, which is exactly when changing one token at a time suffices (lesson 02 has the other cases).
# - The plain **gradient** comes next.
# - **IG from the mean** finds the value and the asked key, and mostly misses the matching key. Its path moves all 13 tokens at once through embeddings that belong to no token: on most of it there is no key to match. Its shares add up; they are shares of *that* journey.
# - **IG from other prompts** starts at real sequences and finds the matching key far more often, and the value a little less.
# - **Attention** has most of its strength on the three, because all of it lies on the value; of the two keys it says nothing. One layer below, each value's place has read its key. In the last layer the asked key looks for a place that holds a copy of itself, and that is the value's.
#
# Take this with you: a complete attribution is not necessarily a faithful one. And within one method, the baseline decided what was found.
#
# ## From embeddings to words
#
# A model answers with more than one token. Each has its own F, given the prompt and the answer so far, so together they make a **matrix**: a row for each token of the answer, a column for each word of the prompt.

# %% [markdown]
# ### Exercise 3: a matrix of words
#
# ●●○ · 10 minutes
#
# Turn mean slopes into the matrix. A word may have several tokens, and a token has as many numbers as its embedding.
#
# <details><summary>Hint 1</summary>
#
# <code>slopes * (x - start)</code> has the shape (answers, tokens, width): the smaller shapes are repeated for each answer.
#
# <details><summary>Hint 2</summary>
#
# Sum over the width first. Then, for each word, sum the columns where <code>word_of == word</code>.
#
# <details><summary>Hint 3</summary>
#
# <code>torch.stack(columns, dim=1)</code> puts columns side by side.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-13-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def word_matrix(slopes, x, start, word_of):
    """For each token of an answer, the share of each word of the prompt.

    slopes: (answers, tokens, width), mean gradients along the path;
    x, start: (tokens, width), the prompt and its baseline;
    word_of: (tokens,), the index of each token's word.  Returns (answers, words).
    """
    ### BEGIN SOLUTION
    shares = (slopes * (x - start)).sum(dim=2)
    words = range(int(word_of.max()) + 1)
    return torch.stack([shares[:, word_of == word].sum(dim=1) for word in words], dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-13-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("13.3", word_matrix)

# %% [markdown]
# With `continuation=`, `token_attribution` returns these rows. F is the log-probability of each token in turn; tokens of the answer do not move. Here every word that moves is one token.
#
# **Predict.** Which word makes the model say "keys"? And which makes it say "she": "Anna", "her" or "She"?

# %% tags=["nbval-ignore-output"]
prompt, other, answer = story
print("the prompt:  ", prompt)
print("its baseline:", other)
rows = token_attribution(model, prompt, continuation=answer, baseline=other)
moved = [i for i, score in enumerate(rows[0].scores) if score]
show.matrix(
    torch.stack([row.scores[moved] for row in rows]),
    [row.target for row in rows],
    [rows[0].tokens[i] for i in moved],
    unit="share of the log-probability",
)

# %%
print(f"{'':10s}{'F(x)':>8s}{'F(baseline)':>14s}{'sum of shares':>16s}")
for row in rows:
    ends = row.evidence.f_input, row.evidence.f_baseline, row.scores.sum()
    ends = [show.rounded(each.item(), 2) for each in ends]
    print("{:10s}{:8}{:14}{:16}".format(repr(row.target), *ends))

# %% [markdown]
# Only tokens that differ from the baseline have a column. Read the numbers below the matrix first: they say how much there is to explain. For "keys" it is a lot, and more than half of it is the share of "keys". The comma and "but" come after either beginning, so their rows hand out little. And "she" is said because of the "She" and the "her"; that the sentence began with "Anna" speaks against it a little, which nobody would have guessed.
#
# ## Inside the model
#
# Which parts of the model carry the difference? Lesson 11 followed the shares through a hidden layer: *conductance*. A layer of attention is made of **heads**, nine here, which work side by side; each reads at some tokens and writes numbers for the layers above. The share of a head is what flows through what it writes.

# %% [markdown]
# ### Exercise 4: the share of a head
#
# ●●● · 12 minutes
#
# What all heads of a layer write at a token is one long row: head 0 first, then head 1, and so on. You get these rows at several points along the path, from x' to x, and between any two points the gradient of F with respect to them. Along the path, add up gradient times change.
#
# <details><summary>Hint 1</summary>
#
# <code>written.diff(dim=0)</code> is how what is written changes from point to point; it has the shape of the slopes.
#
# <details><summary>Hint 2</summary>
#
# Sum the products over points and tokens. One number is left for each number that is written.
#
# <details><summary>Hint 3</summary>
#
# <code>.reshape(heads, -1)</code> puts the numbers of each head in a row of their own.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-13-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def head_shares(written, slopes, heads):
    """What flows through each head of a layer, along a path.

    written: (points, tokens, heads * width), what is written at points from x' to x;
    slopes: (points - 1, tokens, heads * width), the gradients of F in between.
    Returns (heads,).
    """
    ### BEGIN SOLUTION
    shares = (slopes * written.diff(dim=0)).sum(dim=(0, 1))
    return shares.reshape(heads, -1).sum(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-13-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("13.4", head_shares)

# %% [markdown]
# `component_conductance` does it for all layers at once. (With a single gradient, taken at one of the two prompts, it is *attribution patching*: Nanda 2023; Syed, Rager and Conmy 2023. Gradients along the path between them are the idea of Hanna, Pezzelle and Belinkov 2024.)

# %% tags=["nbval-ignore-output"]
prompt, other, target, against = names
inside = component_conductance(
    model, prompt, target, against=against, baseline=other, steps=32
)
layers, heads = inside.heads.shape
show.matrix(
    inside.heads.T,
    [f"head {head}" for head in range(heads)],
    [str(layer) for layer in range(layers)],
    unit="share of F, by layer",
)

# %% [markdown]
# A few heads out of hundreds stand out, most of them late. Is that so, or does it look so? Intervene: **knock heads out**. Each writes, instead of what it would write, its average over all tokens of both prompts, so that it can no longer tell them apart.
#
# **Predict.** F is the logit of Mary minus that of John. What is left of it without the eight heads with the largest positive shares? Without eight heads at random? Without eight of the late ones at random?

# %%
means = mean_of_heads(model, [prompt, other])
k = min(8, inside.heads.numel() // 2)


def left_of_f(chosen):
    """F with some heads knocked out."""
    with (
        torch.no_grad(),
        without_heads(model, [divmod(int(i), heads) for i in chosen], means),
    ):
        z = model.logits(model.encode(prompt).ids)[0, -1]
    return (z[model.token(target)] - z[model.token(against)]).item()


strongest = inside.heads.flatten().topk(k).indices
others = [i for i in range(inside.heads.numel()) if i not in strongest.tolist()]
late = [i for i in others if i >= 2 * inside.heads.numel() // 3]
lot = torch.Generator().manual_seed(0)


def at_random(heads):
    """F without k heads at random, 20 times."""
    draws = [torch.randperm(len(heads), generator=lot)[:k].tolist() for _ in range(20)]
    return torch.tensor([left_of_f([heads[i] for i in draw]) for draw in draws])


print("F with every head:", show.rounded(left_of_f([]), 2))
print("without those of largest share:", show.rounded(left_of_f(strongest), 1))
for name, some in {"any others": others, "late others": late}.items():
    left = at_random(some)
    ends = [show.rounded(each.item(), 1) for each in (left.mean(), left.min())]
    print(f"without as many of {name}: {ends[0]} on average, {ends[1]} at worst")

# %% [markdown]
# Without eight of 270 heads nearly all of it is gone; without eight others, late ones too, nearly all of it stays on average. (Not in every draw: other heads matter as well.) The shares named parts that the model needs. Here the intervention agrees with the map, on a network that nobody built for the purpose. (For GPT-2 such heads were found by hand, in far more detail: Wang et al. 2022.)
#
# Three cautions. The shares of heads do not add up to F(x) - F(x'): what one head writes, a later one reads, and the same change is counted in both. And eight were chosen *because* their shares are large; that they matter for this prompt does not say what they do. And one head may stand in for another: in the lookup model you can knock out the two heads of largest share, and it goes on answering.
#
# ## Beside Captum
#
# [Captum](https://captum.ai) has `LLMGradientAttribution` for this (Miglani et al. 2023); [Inseq](https://inseq.org) is another library (Sarti et al. 2023). Take the log-probability of Paris after "The capital of France is", and end-of-text embeddings as the baseline, which we call `baseline="eos"`.
#
# **Predict.** Both compute Integrated Gradients, each with its defaults. Will they agree?

# %% tags=["nbval-ignore-output"]
from captum.attr import LayerIntegratedGradients, LLMGradientAttribution, TextTokenInput

prompt, _, target, _ = capital
eos = model.tokenizer.eos_token_id or 0
steps = LayerIntegratedGradients(model.model, model.model.get_input_embeddings())
asked = TextTokenInput(prompt, model.tokenizer, baselines=eos)
theirs = LLMGradientAttribution(steps, model.tokenizer).attribute(asked, target=target)
start = model.model.get_input_embeddings().weight.detach()[eos]  # baseline="eos"
ours = token_attribution(model, prompt, target, baseline=start)
show.matrix(
    torch.stack([theirs.seq_attr.detach().cpu(), ours.scores.cpu()]),
    ["Captum", "igteach"],
    ours.tokens,
    unit="share of the log-probability",
)

# %%
change = (ours.evidence.f_input - ours.evidence.f_baseline).item()
print("F(x) - F(x'):", show.rounded(change, 2))
print("sum of ours:", show.rounded(ours.scores.sum().item(), 2))
print("sum of Captum's:", show.rounded(theirs.seq_attr.sum().item(), 2))

# %% [markdown]
# They do not. Captum takes 50 Gauss-Legendre steps, a sound choice on many networks and not enough on this one. Its answer carries no residual, so nothing would have told you.
#
# In both, "France" gets next to nothing, and you have seen why: when the baseline is noise, the tokens that turn it into a sentence about a capital get the credit. Against "The capital of England is", it got everything.
#
# What else differs: Captum moves *all* tokens, special ones included, where we keep those that you did not write. Inseq's default explains the probability, and shows the norm of a token's shares, which has no sign and does not add up. None of this is wrong. All of it must be said.
#
# ## What remains unsolved
#
# - **Tokens do not move alone.** A share belongs to a path on which all tokens change together. You saw what that did to the matching key.
# - **Paths leave the words.** Half-way between "Mary" and "John" there is no word. Sanyal and Ren (2021) walk along real words instead, and lose completeness.
# - **Faithful is not plausible.** That a map agrees with your story of the sentence says something about you. Where the truth was known, the story with the right sum was not the most faithful one.
#
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): an answer has a residual of 0.1% and an error estimate of 30%. What do you know?
#
# <details><summary>Answer</summary>
#
# That the shares add up, and that single ones may still be off by a good deal: errors that cancel in the sum do not show in the residual. Where F is smooth the estimate is usually too large. On this model it has every reason: 65 equal steps from the end-of-text embedding were further off than that.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Two prompts differ in one token, and IG between them gives that token everything. What have you learned?
#
# <details><summary>A. That the model relies on this token alone.</summary>
#
# The other tokens could not have had a share: their x - x' is zero.
#
# </details>
# <details><summary>B. What two forward passes tell: F(x) - F(x').</summary>
#
# Right. Completeness leaves a single moving token no choice. Let several differ.
#
# </details>
# <details><summary>C. That the baseline is neutral.</summary>
#
# Another prompt is anything but neutral, and need not be: it says what you compare with.
#
# </details>

# %% [markdown]
# **Question 2.** From embeddings of zero the shares miss their sum by 60% with 1,000 equal steps. Why will 10,000 not mend it, on a model such as SmolLM2?
#
# <details><summary>A. Because equal steps are a poor rule.</summary>
#
# Others place their nodes a little better, and none places them at alphas of 1e-20.
#
# </details>
# <details><summary>B. Because F changes where no step falls: its norms scale up whatever is not exactly zero.</summary>
#
# Right. F swings at alphas of 1e-10, 1e-20, 1e-40. Start from embeddings of ordinary strength.
#
# </details>
# <details><summary>C. Because the logit has no zero of its own.</summary>
#
# True, and harmless here: F is a difference of two logits.
#
# </details>

# %% [markdown]
# **Question 3.** Between two prompts your shares add up to 60% of F(x) - F(x'), with 32 steps, with 64, and with 1,000. Which cause would you look for first?
#
# <details><summary>A. Something moves that is not counted, such as a special token, or the other way round.</summary>
#
# Right. A sum that settles at the wrong number is not a matter of steps: F(x') was computed with one set of moved tokens, and the shares with another.
#
# </details>
# <details><summary>B. Too few steps.</summary>
#
# Then the sum would change with more of them, as it did from zero.
#
# </details>
# <details><summary>C. The contrast: subtracting John's logit takes 40% away.</summary>
#
# F is a function like any other, and its shares add up to its own change.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("13")

# %% [markdown]
# ## In three lines
#
# **Take away.**
#
# 1. Ask for a contrast: why this token rather than that one. Say against which prompt or embedding.
# 2. Never read an attribution to a prompt without its residual and error estimate. From zero embeddings, do not read it at all.
# 3. A sum that is right may belong to a path that asks another question than yours. Knock out what the map names, with a control.
#
# **Where it comes from.** Integrated Gradients and the zero baseline for text: [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365). SmolLM2: [Ben Allal et al. (2025)](https://arxiv.org/abs/2502.02737). Why Mary rather than John: [Wang et al. (2022)](https://arxiv.org/abs/2211.00593). Attribution patching: [Nanda (2023)](https://www.neelnanda.io/mechanistic-interpretability/attribution-patching), [Syed, Rager and Conmy (2023)](https://arxiv.org/abs/2310.10348). IG along the path between two prompts: [Hanna, Pezzelle and Belinkov (2024)](https://arxiv.org/abs/2403.17806). Paths along real words: [Sanyal and Ren (2021)](https://arxiv.org/abs/2108.13654). Captum for language models: [Miglani et al. (2023)](https://arxiv.org/abs/2312.05491). Inseq: [Sarti et al. (2023)](https://arxiv.org/abs/2302.13942). Conductance: [Dhamdhere, Sundararajan and Yan (2019)](https://arxiv.org/abs/1805.12233).
#
# **What is next.** [Lesson 14](14_your_own_model.ipynb): a checklist, seven recipes and a one-page report, for a model that nobody prepared for you. Open questions that you are now equipped for: which baseline, when no input is neutral; what a share means where features work together; how to explain a model of a thousand layers to the person it judged. To read on: Lundstrom et al. (2022) on what the axioms do and do not settle, Hooker et al. (2019) on retraining, Wiegreffe and Pinter (2019) on explanations that are plausible and those that are faithful.
