# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 13 · Language models
#
# **The question.** Which words of the prompt made the model say that?
#
# **You will be able to**
# - ask a language model one question at a time: why this token rather than that one;
# - tell from the residual and the error estimate when an attribution to a prompt is meaningless, and fix it;
# - choose a baseline that asks what you want to know, often another prompt;
# - test attributions on a task whose right answer is known, and by knocking out parts of a real model.
#
# **You need** [lesson 05](05_computing_the_integral.ipynb), [lesson 07](07_baselines.ipynb) and [lesson 09](09_text_models.ipynb). Conductance comes from [lesson 11](11_beyond.ipynb), controls from [lesson 12](12_trust.ipynb).
#
# **Time.** 115 minutes, exercises included. A good place for a break is after the audit.
#
# **GPU.** It makes every answer faster. The answers are the same.
#
# **Graded.** 120 seconds a cell, 300 seconds in all, 5 GB of memory. (These are the limits, if your course grades notebooks.)

# %%
import torch

import igteach
from igteach import explore, show, token_attribution
from igteach.datasets.lookup import make_lookups
from igteach.datasets.prompt_curves import OTHER_PROMPT, PROMPT, load_prompt_curves
from igteach.evaluate import interval
from igteach.exercises import check
from igteach.methods.heads import component_conductance, mean_of_heads, without_heads
from igteach.models import lookup, smollm2

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## A model that continues a text
#
# A language model reads tokens and gives every possible next token a number, its logit. SmolLM2-135M-Instruct ([Ben Allal et al. 2025](https://arxiv.org/abs/2502.02737)) is a small one: 135 million parameters in 30 layers, and a vocabulary of 49,152 tokens. `igteach fetch` puts it on your machine. If it is missing, a far smaller model stands in: every cell runs, but the text describes SmolLM2.

# %% tags=["slide-goes-on"]
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
    retold = (
        "Paul lost his keys. He looked for the",
        "Anna lost her phone. She looked for the",
    )
else:
    print("SmolLM2 is not on this machine; run: igteach fetch")
    model = lookup.load(device)
    names = ("k3 v7 k1 v2 k3", "k1 v7 k3 v2 k1", "v7", "v2")
    capital = ("k3 v7 k1 v2 k3", "k3 v7 k1 v2 k1", "v7", "v2")
    nurse = ("k5 v1 k8 v9 k5", "k8 v1 k5 v9 k5", "v1", "v9")
    story = ("k5 v1 k8 v9 k5", "k8 v9 k5 v1 k8", "v1 k8 v9")
    retold = ("k5 v9 k8 v1 k5", "k8 v1 k5 v9 k8")

for prompt, *_ in (names, capital, nurse):
    print(prompt)
    for token, chance in model.likeliest(prompt, 3):
        print(f"    {token!r:10s}{show.rounded(chance, 2)}")

# %% [markdown]
# Note the space in `' Mary'`: it belongs to the token, and `'Mary'` without it is another token. If two answers begin with the same tokens, put those into the prompt, and contrast the first tokens that differ.

# %% [markdown] tags=["slide"]
# ## What is F?
#
# You could explain the probability of "Mary", or its logarithm. But a probability competes with 49,151 others, so explaining it mixes many questions: why a name at all, and not "the"? Why this name? And at 0.92 a probability is nearly flat (lesson 02).
#
# People who study language models ask one question at a time. They take the **logit of one token minus the logit of another**: why "Mary" *rather than* "John"? Whatever raises both logits equally, such as a context that calls for a name, cancels. To explain a mistake, subtract the logit of the right answer: why "Sydney" rather than "Canberra"?
#
# $$F(x) \;=\; z_{\text{target}}(x) - z_{\text{against}}(x) \;=\; \log \frac{p_{\text{target}}}{p_{\text{against}}}$$

# %% [markdown] tags=["slide"]
# ## An attribution that means nothing
#
# [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365) recommend zero embeddings as the baseline for text. Here is lesson 04's Integrated Gradients on the word embeddings, in 64 equal steps.
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

# %% [markdown] tags=["slide"]
# It looks like an explanation: "Mary" leads, then come "and" and the first "John", both against, and you could tell a story about most of it. Before you tell it: do the shares add up?

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
# The sum is off by about 7% of F(x) - F(0); the errors of the shares, by estimate, come to 30% of all |shares| (lesson 05). Rescaling shares until they add up repairs the sum, not the shares (lesson 03).
#
# **Predict.** The first thing to try is more steps. How many will it take, 128, 512, or 1,000?
#
# A thousand gradients take a minute, so we computed the next curves beforehand, with `python -m igteach.training prompt_curves`. `data/prompt_curves.md` describes them.

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
# None of them will do. (That 64 came close was luck: look at its neighbours.) To see why, look at F along the path, with α on a logarithmic axis. The whole prompt is at the right end; to the left it shrinks to almost nothing.

# %%
show.curves(
    curves.log10_alphas,
    {"F": curves.f},
    xlabel="log10 of alpha: 0 is the whole prompt, -10 a ten-billionth of it",
    ylabel="F: Mary's logit minus John's",
)

# %% [markdown]
# F never settles. It swings by several units all the way down to α = 1e-44, the left end of this figure. That is about the smallest positive number that float32 can hold (below 1e-38 it loses digits). At zero itself all logits are 0, and so is F.
#
# Every layer of this model begins by *normalising* its input: it divides by the root of (mean square + a tiny constant). Zeros stay zeros through all 30 layers, since the model has no biases to add. Two norms a layer and one at the end make 61. The constant is 1e-5, so each norm can scale up by 1/√(1e-5), about 316. So a faint prompt arrives at full strength; how the constant distorts it on the way depends on α.
#
# The shares have to account for all these swings. But the first of 1,000 equal steps takes its gradient at α = 0.0005, at -3.3 on this axis. No rule with so few nodes can see all that lies left of it. The residual warns you. For this model zero is not "no word".
#
# ## Other nothings
#
# Two baselines are in common use. `eos` puts the embedding of the end-of-text token at every position, `mean` the mean of all embeddings. Both are of ordinary magnitude, so the norms have nothing to blow up. How far are the shares from the truth, after 33 gradients, after 385? Nobody knows the true shares; as the truth we take an answer with 1,500 gradients, placed where the integrand changes most (lesson 05). Its own residual is printed first.

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
# With equal steps the error goes up and down: a step that lands on a narrow peak gives it far too much weight. (From the mean, compare 129 steps with 257.) Refining where the integrand changes most has the smaller error at every count here. (It can rise as well: from the end of text, from 33 gradients to 65.)
#
# So do not ask for steps. Ask for a tolerance: `token_attribution` adds gradients until the error estimate is below it, 5% by default. Then read the verdict.
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
# Nothing is wrong with the integral; the *question* is odd. What makes both cities likelier cancels in F only as far as it raises both logits equally; along the path it need not. The path begins with the mean embedding at every position, and for most of its length the model reads no sentence at all. Where the input turns into a sentence, F rises, and the tokens that make it a sentence get the credit. That answers "why this prompt rather than no sentence?", which you did not ask.

# %% [markdown] tags=["slide"]
# ## Another prompt
#
# Ask what you want to know: why "Mary" rather than "John"? So compare with a prompt after which "John" should come: the same one with the names swapped. Both have the same number of tokens, so each token has a partner, and where the partners are equal, x - x' is zero. (`token_attribution` refuses prompts of different lengths; reword one until they match.) To explain a mistake, compare with another wording of the question, of the same length, after which the model gives the right answer.

# %% [markdown]
# Two such prompts are called a *minimal pair*, or a clean and a corrupted prompt ([Wang et al. 2022](https://arxiv.org/abs/2211.00593); [Hanna, Pezzelle and Belinkov 2024](https://arxiv.org/abs/2403.17806)).

# %% [markdown]
# ### Exercise 2: a baseline from another prompt
#
# ●●○ · 8 minutes
#
# Look up the baseline in the table of embeddings. Some tokens must not move, such as the one that marks the beginning of a text in many models: they keep the prompt's own embedding. (Use this very x' for F(x'), too. If the path begins at another x', the shares never add up to F(x) - F(x'), however many steps you take.)
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

# %% [markdown] tags=["slide-goes-on"]
# `baseline=` takes the other prompt as text. The path from it is short and smooth, so a tolerance of 2% costs little.
#
# **Predict.** Three tokens differ: "Mary", the first "John" and the second "John". Which has the largest share, and does any of them speak *against* "Mary"?

# %% tags=["nbval-ignore-output"]
prompt, other, target, against = names
pair = token_attribution(
    model, prompt, target, against=against, baseline=other, tolerance=0.02
)
show.text(pair)

# %% tags=["slide"]
spent = [each.evidence.evaluations[0].item() for each in (pair, settled)]
print(f"residual: {pair.evidence.relative_residual.item():.0%} of F(x) - F(x')")
about = int(show.rounded(spent[1], 1))
print(f"gradients: {spent[0]}; the answer before took about {about}")
named = [
    (token, score) for token, score in zip(pair.tokens, pair.scores.tolist()) if score
]
for token, score in named:
    print(f"{token!r:10s}{show.rounded(score, 2):+}")

# %% [markdown] tags=["slide-goes-on"]
# A fraction of the gradients, a residual that vanishes, and an answer that you can read. "Mary" as the first name, rather than "John", has the largest share. "John" as the giver, rather than "Mary", speaks for her too: the giver does not receive. And "John" as the second name, rather than "Mary", speaks *against* her. Each share compares two words at one position; the reasons are our story.

# %% [markdown]
# A pair has a price: it explains F(x) - F(x') for *this* x'. See what happens if only one token differs.

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
# All of it goes to the one token: completeness leaves no choice, and two forward passes tell you as much. So let several tokens differ, or do not call it attribution. If your question is about one word, F(x) - F(x') already answers it; what is left to ask is where in the model the change flows ("Inside the model", below).

# %% [markdown] tags=["slide"]
# ## An audit in one picture
#
# "The nurse told the doctor that": "she" or "he"? Nothing in the sentence says. If the model leans one way, which word makes it lean?
#
# **Predict.** Against the same sentence with the two people swapped: does "nurse" speak for "she"? Does "doctor"?

# %% tags=["nbval-ignore-output", "slide"]
prompt, swapped, target, against = nurse
roles = token_attribution(
    model, prompt, target, against=against, baseline=swapped, tolerance=0.02
)
show.text(roles)

# %% tags=["slide-goes-on"]
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
# Read the last lines first. F is positive for both prompts: the model prefers "she" to "he", whoever speaks, but *less* when the nurse does. The shares explain that difference, and only that. As the speaker, "nurse" rather than "doctor" raises F a little; as the listener, "doctor" rather than "nurse" lowers it by more.
#
# What you may say: in this sentence, swapping the two moves the odds, and both positions contribute. What you may not: that the model "is biased against nurses". For a claim about the model, take many sentences and count in how many F moves this way, with a control in which roles without a stereotype are swapped (lesson 12).

# %% [markdown]
# ## Where the right answer is known
#
# A pleasing story is not evidence. So take a task whose right answer is known. A model of two layers, trained for this course, reads pairs of a key and its value, then a key: "k3 v7 k1 v2 k3". It answers with the value of that key. By the rule of the task three tokens decide: the key at the end, the same key earlier, and its value.

# %%
reader = lookup.load(device)
count, others_each = 30, 6
drawn = make_lookups(count, seed=0)
others = make_lookups(count * others_each, seed=1)
unseen = make_lookups(500, seed=2)

# %% tags=["slide-goes-on"]
with torch.no_grad():
    ids = torch.cat([reader.encode(each).ids for each in unseen.prompts])
    said = reader.logits(ids)[:, -1].argmax(dim=1).tolist()
right = sum(s == reader.token(a) for s, a in zip(said, unseen.answers))
print("right on", right, "of", len(said), "unseen sequences")
print(drawn.prompts[0], "->", drawn.answers[0])
show.text(drawn.prompts[0].split(), drawn.decides[0].float())

# %% [markdown]
# F is the log-probability of the right value. A token's *strength* is the absolute value of its score. Each method gets two scores: the fraction of all strength that lies on the three deciding tokens, of 13, and how many of them are among its three strongest (in the last columns, kind by kind). The competitors:
#
# - **IG, mean**: from the mean embedding;
# - **IG, other prompts**: from six other sequences, averaged (lesson 07's many baselines);
# - **gradient**: the norm of each token's gradient;
# - **gradient × (x - x')**, against the mean embedding;
# - **attention**: in the last layer, from the last token, averaged over heads;
# - **deletion**: how much F falls when one token alone is replaced by the mean embedding;
# - **random numbers**, the control.
#
# **Predict.** Rank them by the second score.

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
print(f"{'':21s}{'strength on the three':22s}{'three strongest':20s}key, value, asked")
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
# Not the ranking that a course on Integrated Gradients would choose.
#
# - **Deletion** is perfect. The model fails as soon as any one of the three is gone. So changing one token at a time finds them all. Where either of two is enough, it misses both (lesson 02).
# - The plain **gradient** comes next.
# - **IG from the mean** finds the value and the asked key, but mostly misses the matching key. Its path moves all 13 tokens at once through embeddings that belong to no token: on most of it there is no key to match. Its shares add up; they are shares of *that* journey.
# - **IG from other prompts** starts at real sequences and finds the matching key far more often, the value somewhat less often.
# - **Attention** has nearly all of its strength on one of the three, the value; about the two keys it says nothing. In the layer below, each value has already read the key before it. So in the last layer the last token need not find the earlier key: the value already carries it.
#
# Take this with you: a complete attribution is not necessarily a faithful one. And within one method, the baseline decided what was found.
#
# ## From embeddings to words
#
# A model answers with more than one token. Each has its own F, given the prompt and the answer so far, so the shares make a **matrix**: a row for each token of the answer, a column for each word of the prompt.

# %% [markdown]
# ### Exercise 3: a matrix of words
#
# ●●○ · 10 minutes
#
# Turn mean slopes into the matrix. A word may have several tokens, and a token has one slope for each number of its embedding.
#
# <details><summary>Hint 1</summary>
#
# <code>slopes * (x - start)</code> has the shape (rows, tokens, width): x - start is repeated for each row.
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

    slopes: (rows, tokens, width), mean gradients, a row for each token of the answer;
    x, start: (tokens, width), the prompt and its baseline;
    word_of: (tokens,), the index of each token's word.  Returns (rows, words).
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
# Only tokens that differ from the baseline have a column. Read the numbers below the matrix first: they say how much there is to explain. For "keys" it is a lot, and more than half of it goes to "keys" in the prompt. "But" fits either beginning, so its shares add up to next to nothing; the comma's add up to a small negative number. And "she" is due to "She" and "her"; "Anna", of all words, speaks against it a little.

# %% [markdown]
# ### Exercise 5: two whole answers
#
# ●●○ · 8 minutes
#
# "New York" or "Los Angeles": two answers of two tokens each. You want to know why one *rather than* the other, as a whole: F is the log-probability of the first answer minus that of the second, given the prompt. The probability of an answer is the product of those of its tokens, each given everything before it. The model has read the prompt with the first answer, and the prompt with the second, and predicts the next token after *every* token. Write F.
#
# <details><summary>Hint 1</summary>
#
# Where was the first token of an answer predicted? After the last token of the prompt, that is at index <code>prompt - 1</code>.
#
# <details><summary>Hint 2</summary>
#
# With one token each a difference of logits was enough. From the second token on, the two texts differ, so the softmax divides by different sums, which do not cancel. So take <code>log_softmax</code> before you compare.
#
# <details><summary>Hint 3</summary>
#
# A loop will do: for each place of each answer, take the log-probability of the token there, predicted one index earlier. Add up each answer's, and subtract.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-13-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def contrast_of_answers(logits, ids, prompt):
    """The log-probability of one answer minus that of another, given the prompt.

    logits: (2, tokens, vocabulary), what the model says after each token;
    ids: (2, tokens), what it read: the prompt with each answer, both equally long;
    prompt: the number of tokens of the prompt.  Returns one number.
    """
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=2)
    contrast = 0.0
    for place in range(prompt, ids.shape[1]):
        first, second = ids[:, place]
        contrast += log_p[0, place - 1, first] - log_p[1, place - 1, second]
    return contrast
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-13-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("13.5", contrast_of_answers)

# %% [markdown]
# Shares are linear in F: add up the rows of the first answer's matrix, and subtract those of the second's. Compare answers of equal length only: each further token lowers the probability.
#
# The baseline is half of the question, so take two others: Paul lost his *keys*; and Anna lost her *phone*. Choose a token of the answer and a prompt to compare with.
#
# **Predict.** Compared with Paul and his keys, which words are left to explain "keys"? Compared with Anna and her phone, how much is left to explain for "she"?

# %% tags=["nbval-ignore-output"]
compared = {other: rows}
for start in retold:
    compared[start] = token_attribution(
        model, prompt, continuation=answer, baseline=start
    )
explore.token_explorer(
    {
        (repr(row.target), start): row
        for start, told in compared.items()
        for row in told
    }
)

# %% [markdown]
# Compared with Paul's keys, little is left to explain for "keys": it goes to "Anna" and "her", and a little to "She". Compared with Anna's phone, only "keys" moves and so gets everything. The answer's "she" was about as likely after that prompt, so little is left to explain for it. "She" is still what makes the model say "she", but both prompts contain it. What both prompts say gets no share.
#
# ## Inside the model
#
# Which parts of the model carry the difference? Lesson 11 followed the shares through a hidden layer: *conductance*. An attention layer consists of **heads**, nine here, that work side by side; each reads from some tokens and writes numbers for the layers above. The share of a head is the conductance of these numbers.

# %% [markdown]
# ### Exercise 4: the share of a head
#
# ●●● · 12 minutes
#
# What all heads of a layer write at a token is one long row: head 0 first, then head 1, and so on. You get these rows at several points along the path, from x' to x, and, for each step between two points, the gradient of F with respect to these rows. Along the path, add up gradient times change.
#
# <details><summary>Hint 1</summary>
#
# <code>written.diff(dim=0)</code> is the change from point to point; it has the shape of the slopes.
#
# <details><summary>Hint 2</summary>
#
# Sum the products over points and tokens. That leaves heads × width numbers, one for each position in the long row.
#
# <details><summary>Hint 3</summary>
#
# <code>.reshape(heads, -1)</code> gives each head a row of its own.
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
# `component_conductance` does this for all layers at once. (With a single gradient, taken at one of the two prompts, it is *attribution patching*: [Nanda 2023](https://www.neelnanda.io/mechanistic-interpretability/attribution-patching); [Syed, Rager and Conmy 2023](https://arxiv.org/abs/2310.10348). To take gradients along the path between them was the idea of [Hanna, Pezzelle and Belinkov 2024](https://arxiv.org/abs/2403.17806).)

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
# A few heads out of hundreds stand out, most of them late. Do they matter, or only seem to? Intervene: **knock heads out**. Each then writes its average over all tokens of both prompts, so it can no longer tell the prompts apart.
#
# **Predict.** F is the logit of Mary minus that of John. What is left of it without the eight heads with the largest positive shares? Without eight other heads at random? Without eight late ones at random?

# %%
means = mean_of_heads(model, [prompt, other])
k = min(8, inside.heads.numel() // 2)


def logits_without(chosen, prompt):
    """The logits of the next token with some heads knocked out."""
    pairs = [divmod(int(i), heads) for i in chosen]
    with torch.no_grad(), without_heads(model, pairs, means):
        return model.logits(model.encode(prompt).ids)[0, -1]


def left_of_f(chosen):
    """F with some heads knocked out."""
    z = logits_without(chosen, prompt)
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
print(f"without the {k} largest shares:", show.rounded(left_of_f(strongest), 1))
for name, some in {"others": others, "late others": late}.items():
    left = at_random(some)
    ends = [show.rounded(each.item(), 1) for each in (left.mean(), left.min())]
    print(f"without {k} {name} at random: {ends[0]} on average, {ends[1]} at worst")
question, _, capital_city, _ = capital  # another prompt
for name, some in {"with every head": [], f"without the {k}": strongest}.items():
    chance = logits_without(some, question).softmax(dim=0)[model.token(capital_city)]
    print(f"P({capital_city.strip()}) elsewhere, {name}:", show.rounded(chance, 1))

# %% [markdown]
# Without eight of 270 heads nearly all of F is gone; without eight others, even late ones, nearly all of it stays on average. (Not in every draw: other heads matter as well.) The shares named parts that the model needs. And without them the model is not just broken: P(Paris) after another prompt falls only from 0.8 to 0.5. Here the intervention confirms the map, on a network that nobody built for the purpose. (For GPT-2 such heads were found by hand, in far more detail: [Wang et al. 2022](https://arxiv.org/abs/2211.00593).)
#
# Three cautions. The shares of heads do not add up to F(x) - F(x'): what one head writes, a later one reads, and both count the same change. The eight were chosen only by the size of their shares. They matter for this prompt; this does not say what they do. And one head may stand in for another: in the lookup model you can knock out the two heads with the largest shares, and it goes on answering correctly.
#
# ## Beside Captum
#
# [Captum](https://captum.ai) has `LLMGradientAttribution` for this ([Miglani et al. 2023](https://arxiv.org/abs/2312.05491)); [Inseq](https://inseq.org) is another library ([Sarti et al. 2023](https://arxiv.org/abs/2302.13942)). Take the log-probability of "Paris" after "The capital of France is", with end-of-text embeddings as the baseline (our `baseline="eos"`).
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
# They do not. Captum takes 50 Gauss-Legendre steps, a sound choice on many networks but not enough on this one. Its answer carries no residual, so nothing would have told you.
#
# In both, "France" gets little, and you have seen why: when the path begins at no sentence, the tokens that make it one get the credit. Against "The capital of England is", "France" got everything.
#
# What else differs: Captum moves *all* tokens, special ones included; we move only those that you wrote. Inseq's default explains the probability, and shows the norm of a token's shares, which has no sign and does not add up. None of this is wrong. All of it must be said.
#
# ## What remains unsolved
#
# - **Tokens do not move alone.** A share belongs to a path on which all tokens change together. You saw what that did to the matching key.
# - **Paths leave the words.** Halfway between "Mary" and "John" there is no word. [Sanyal and Ren (2021)](https://arxiv.org/abs/2108.13654) walk along real words instead, and lose completeness.
# - **Plausible is not faithful.** That a map agrees with your story of the sentence says something about you. Where the truth was known, the map with the right sum was not the most faithful one.
#
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): an answer has a residual of 0.1% and an error estimate of 30%. What do you know?
#
# <details><summary>Answer</summary>
#
# That the shares add up, and that single ones may still be far off: errors that cancel in the sum do not show in the residual. Where F is smooth the estimate is usually too high. On this model, take a high estimate seriously: the true error can be as large. With 65 equal steps from the end-of-text embedding, the true error was far above 30%.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Two prompts differ in one token, and IG between them gives that token everything. What have you learned?
#
# <details><summary>A. That the model relies on this token alone.</summary>
#
# The other tokens cannot have a share: their x - x' is zero.
#
# </details>
# <details><summary>B. What two forward passes tell you: F(x) - F(x').</summary>
#
# Right. Completeness leaves a single moving token no choice. Let several differ.
#
# </details>
# <details><summary>C. That the baseline is neutral.</summary>
#
# Another prompt is anything but neutral, and need not be neutral: it says what you compare with.
#
# </details>

# %% [markdown]
# **Question 2.** From embeddings of zero the shares miss their sum by 60% with 1,000 equal steps. Why will 10,000 not help, on a model such as SmolLM2?
#
# <details><summary>A. Because equal steps are a poor rule.</summary>
#
# Other rules place their nodes a little better, but none places one at α = 1e-20.
#
# </details>
# <details><summary>B. Because F changes where no step lands: the model's norms scale up whatever is not exactly zero.</summary>
#
# Right. F swings at α = 1e-10, 1e-20, 1e-40. Start from embeddings of ordinary magnitude.
#
# </details>
# <details><summary>C. Because a logit has no natural zero.</summary>
#
# True, and harmless here: F is a difference of two logits.
#
# </details>

# %% [markdown]
# **Question 3.** Between two prompts your shares add up to 60% of F(x) - F(x'), with 32 steps, with 64, and with 1,000. What would you look for first?
#
# <details><summary>A. A token, perhaps a special one, at which the path's x' and the x' of F(x') differ.</summary>
#
# Right. A sum that settles at the wrong number is not a matter of steps: F(x') was computed with one set of moved tokens, and the shares with another.
#
# </details>
# <details><summary>B. Too few steps.</summary>
#
# Then the sum would change with more of them, as it did from zero.
#
# </details>
# <details><summary>C. The contrast: subtracting John's logit takes away 40%.</summary>
#
# F is a function like any other, and its shares add up to its own change.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("13")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Ask for a contrast: why this token rather than that one. Say against which prompt or embedding.
# 2. Never read an attribution to a prompt without its residual and error estimate. From zero embeddings, do not read it at all.
# 3. A right sum may come from a path that answers a question you did not ask. Knock out what the map names, with a control.
#
# **Where it comes from.** Integrated Gradients and the zero baseline for text: [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365). SmolLM2: [Ben Allal et al. (2025)](https://arxiv.org/abs/2502.02737). Why Mary rather than John: [Wang et al. (2022)](https://arxiv.org/abs/2211.00593). Attribution patching: [Nanda (2023)](https://www.neelnanda.io/mechanistic-interpretability/attribution-patching), [Syed, Rager and Conmy (2023)](https://arxiv.org/abs/2310.10348). IG along the path between two prompts: [Hanna, Pezzelle and Belinkov (2024)](https://arxiv.org/abs/2403.17806). Paths along real words: [Sanyal and Ren (2021)](https://arxiv.org/abs/2108.13654). Captum for language models: [Miglani et al. (2023)](https://arxiv.org/abs/2312.05491). Inseq: [Sarti et al. (2023)](https://arxiv.org/abs/2302.13942). Conductance: [Dhamdhere, Sundararajan and Yan (2019)](https://arxiv.org/abs/1805.12233).
#
# **What is next.** [Lesson 14](14_your_own_model.ipynb): a checklist, seven recipes and a one-page report, for a model that nobody prepared for you. Open questions that you are now equipped for: which baseline to take when no input is neutral; what a share means where features work together; how to explain a model of a thousand layers to the person it judged. Further reading: [Lundstrom et al. (2022)](https://arxiv.org/abs/2202.11912) on what the axioms do and do not settle, [Hooker et al. (2019)](https://arxiv.org/abs/1806.10758) on retraining, [Wiegreffe and Pinter (2019)](https://arxiv.org/abs/1908.04626) on plausible and faithful explanations.
