# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 09 · Text models
#
# **The question.** A network reads a sentence and says what kind it is. Which words made it say so, and what is a baseline for a word?
#
# **You will be able to**
# - run a path through the embeddings of a text, and give every token its share;
# - choose a baseline for words, and ask whether it has an opinion;
# - turn what a map shows into a suspicion, and test it by changing the text;
# - say what shares of single words cannot express.
#
# **You need** [lesson 04](04_integrated_gradients.ipynb) and [lesson 07](07_baselines.ipynb). The control comes from [lesson 08](08_image_models.ipynb).
#
# **Time.** 70 minutes, exercises included.
#
# **GPU.** It makes the transformer faster. The answers are the same.

# %%
import torch
from IPython.display import display

import igteach
from igteach import explore, show, token_attribution
from igteach.datasets.texts import load_frames, load_questions
from igteach.evaluate import interval
from igteach.exercises import check
from igteach.models import text
from igteach.training.frames import held_out_frames, measure, train_on_frames
from igteach.datasets.shipped import data_folder

device = igteach.device()

# %% [markdown] tags=["slide"]
# ## A question about questions
#
# Before you answer a question it helps to know what kind of answer it wants: a number, a place, a person (HUM), a thing (ENTY), a description or definition (DESC), or the long form of an abbreviation (ABBR). Li and Roth (2002) sorted some thousands of questions this way, and Sundararajan, Taly and Yan (2017) used the task as one of their examples.
#
# Our classifier is a small transformer, all-MiniLM-L6-v2, with slightly changed weights and a linear layer on top. Its card is `data/question_types.md`.

# %% tags=["slide-goes-on"]
asker = text.load("question_types", device)
ours = load_questions()  # written for this course, so the network has never seen them
for question in (
    "How many people live in Paris?",
    "Who painted the ceiling?",
    "What does IG stand for?",
    "Why is the sky blue?",
):
    print(f"{asker.predict([question])[0]:5s} {question}")
said = asker.predict([one.text for one in ours])
right = [label == one.label for one, label in zip(ours, said)]
print(f"right on {sum(right)} of {len(right)} of our own questions")

# %% [markdown] tags=["slide-goes-on"]
# **Predict.** Which words of "How many people live in Paris?" made it say NUM? And which of "What year did the ship sink?"

# %% tags=["nbval-ignore-output", "slide"]
two = ("How many people live in Paris?", "What year did the ship sink?")
show.text([token_attribution(asker, question) for question in two])

# %% [markdown] tags=["slide-goes-on"]
# Orange words over a solid line speak for the answer, blue ones over a dotted line against it. So *how* and *many* made it, together. In the second question it was *year*, not *What*: many a question begins with *what* and wants no number. The line below each text says whether the shares add up. How was this made?

# %% [markdown]
# `token_attribution` returns the tokens, their scores and, as `.evidence`, the attribution of lesson 04. It adds gradients until the error estimate is small (the tolerance of lesson 05); with `steps=64` it takes 64.
#
# ## There is no half a word
#
# A picture can be dimmed. A word cannot: to the network it is a number in a list, and between the numbers of *how* and *many* there is nothing that is half of each. So the path cannot run between words.
#
# The first thing the network does with a word is look up a vector, its **embedding**. Vectors can be mixed. The path runs there.
#
# **Predict.** Go a quarter of the way from the embedding of [PAD], the token that fills up short texts, to that of *many*; then three quarters. Which token of the vocabulary is nearest, and is it at that very point?

# %%
lookup = asker.model.get_input_embeddings()
vocabulary = asker.tokenizer.get_vocab()
many, pad = (lookup.weight[vocabulary[token]].detach() for token in ("many", "[PAD]"))
for alpha in (0.0, 0.25, 0.75, 1.0):
    point = pad + alpha * (many - pad)
    nearest = int((lookup.weight - point).norm(dim=1).argmin())
    gap = (lookup.weight[nearest] - point).norm() / (many - pad).norm()
    token = asker.tokenizer.convert_ids_to_tokens(nearest)
    print(f"alpha {alpha:4.2f}  nearest token: {token:7s} apart by {gap.item():.2f}")

# %% [markdown]
# The nearest token is the nearer end, and it is a quarter of the distance away. Between the ends there is no word. The network is asked about points that no text can reach, just as the image networks were asked about dimmed pictures. This is the price of the path. The residual does not show it: along any path the shares add up.
#
# Two things must not move. **Special tokens** such as [CLS] and [SEP] belong to the network, not to the text: they are the same in every text, and keep their embeddings. And to each embedding the network adds one for its *position*. These stay as well: the question is what each word says where it stands. A library that gives every token the position number 0 while it walks explains another function: its shares do not add up to *our* F(x) - F(x').

# %% [markdown]
# ### Exercise 1: a baseline for a text
#
# ●○○ · 5 minutes
#
# Every token starts from the padding, except the special ones, which stay.
#
# <details><summary>Hint 1</summary>
#
# <code>torch.where(condition, a, b)</code> takes from a where the condition holds, else from b.
#
# <details><summary>Hint 2</summary>
#
# <code>special</code> has one value for each token, and the embeddings one row: <code>special[:, None]</code> lines them up.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-09-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def baseline_of(embeddings, special, pad):
    """The embeddings of a text without its words.

    embeddings: (tokens, width);  special: (tokens,), bool;  pad: (width,).
    Returns (tokens, width).
    """
    ### BEGIN SOLUTION
    return torch.where(special[:, None], embeddings, pad)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-09-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("09.1", baseline_of)

# %% [markdown]
# The rest is lesson 04, with embeddings in place of pixels: 64 points on the path, their slopes, the mean.

# %%
question = "How many people live in Paris?"
encoding = asker.encode([question])
inputs = asker.inputs(encoding)
special = encoding["special_tokens_mask"][0].bool().to(device)
target = asker.labels.index("NUM")

x = lookup(inputs["input_ids"])[0].detach()  # (tokens, width)
start = torch.where(special[:, None], x, pad)
alphas = ((torch.arange(64) + 0.5) / 64).to(device)
path = (start + alphas[:, None, None] * (x - start)).requires_grad_()
p = asker.model(
    inputs_embeds=path, attention_mask=inputs["attention_mask"].expand(64, -1)
).softmax(dim=1)[:, target]
slopes = torch.autograd.grad(p.sum(), path)[0].mean(dim=0)
print("slopes:", list(slopes.shape), "embeddings:", list(x.shape))

# %% [markdown]
# That is one slope for each of a token's 384 numbers. Nobody asked about those. By completeness all shares add up to F(x) - F(x'), so those of one token can be summed into *its* share, and nothing is lost:
#
# $$\mathrm{IG}_t \;=\; \sum_k \,(x_{t,k} - x'_{t,k}) \times \text{mean slope}_{t,k}.$$

# %%
by_hand = torch.einsum("tk,tk->t", slopes, x - start)
packaged = token_attribution(asker, question, steps=64)
apart = (by_hand - packaged.scores).abs().max()
of_special = packaged.scores[special].tolist()
part = packaged.scores[1:3].sum() / packaged.scores.sum()
residual = packaged.evidence.relative_residual
print(f"largest difference from token_attribution: {apart:.3f}")
print("special tokens get", of_special)
print("'how' and 'many' get, of all:", show.rounded(part, 2))
print(f"the residual: {residual.item():.0%} of F(x) - F(x')")

# %% [markdown]
# ## Words in pieces
#
# A transformer's vocabulary is short, so rare words are cut into pieces. A reader wants the word.

# %%
cut = "Who was the last emperor of Constantinople and Byzantium?"
print(asker.encode([cut]).tokens(0))

# %% [markdown]
# ### Exercise 3: from pieces to words
#
# ●●○ · 8 minutes
#
# The tokenizer says which word each token belongs to: 0, 1, 2 and so on; here special tokens have -1. Give each word the sum of its pieces.
#
# <details><summary>Hint 1</summary>
#
# <code>scores[word_of == 3]</code> holds the pieces of word 3.
#
# <details><summary>Hint 2</summary>
#
# There are <code>int(word_of.max()) + 1</code> words. <code>torch.stack</code> makes one tensor of a list of numbers.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-09-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def word_scores(scores, word_of):
    """The share of each word.

    scores: (tokens,);  word_of: (tokens,), the number of the word, -1 for a special
    token.  Returns (words,).
    """
    ### BEGIN SOLUTION
    return torch.stack(
        [scores[word_of == word].sum() for word in range(int(word_of.max()) + 1)]
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-09-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("09.3", word_scores)

# %% tags=["nbval-ignore-output"]
in_pieces = token_attribution(asker, cut)
show.text([in_pieces, in_pieces.merged()])

# %% [markdown]
# The pieces of one word may disagree. Summing keeps the total, so the line below the text stays the same.

# %% [markdown] tags=["slide"]
# ## Does the padding say nothing?
#
# Lesson 07 asks every baseline for its opinion. Besides padding we ask [MASK], the token of pretraining, and zeros, an embedding that no token has. Two more classifiers join the one that sorts questions (`asker` in the code). The critic is the same transformer, trained to tell positive from negative sentences of film reviews (Pang and Lee 2005). The guest is a small network on Chinese characters, trained on hotel reviews.
#
# **Predict.** Which of the three finds a text of nothing but padding neutral?

# %%
critic = text.load("sentiment_en", device)
guest = text.load("sentiment_zh", device)


def opinion_of(classifier, sentence, baseline):
    """The probability of each label where the words have been replaced by the
    baseline."""
    said = {}
    for label in classifier.labels:
        # one step is enough: only F(x') is wanted
        one = token_attribution(classifier, sentence, label, baseline=baseline, steps=1)
        said[label] = one.evidence.f_baseline.item()
    return said


# %% tags=["nbval-ignore-output", "slide"]
opinions = {}
for name, classifier, sentence in (
    ("question types", asker, question),
    ("English reviews", critic, "The plot is dull."),
    ("Chinese reviews", guest, "房间很干净。"),
):
    for baseline in ("pad", "mask", "zero"):
        if classifier is guest and baseline == "mask":
            continue  # its vocabulary has no such token
        opinions[name, baseline] = opinion_of(classifier, sentence, baseline)
        cells = [f"{label} {p:.2f}" for label, p in opinions[name, baseline].items()]
        print(f"{name:17s}{baseline:6s}{'  '.join(cells)}")

# %%
says = opinions["question types", "pad"]["DESC"]
print("to the asker, P(a description) of padding:    ", show.rounded(says, 1))
says = opinions["English reviews", "pad"]["negative"]
print("to the English critic, P(negative) of padding:", show.rounded(says, 1))
says = opinions["Chinese reviews", "pad"]["negative"]
print("to the Chinese guest, P(negative) of padding: ", show.rounded(says, 1))

# %% [markdown]
# So for the classifier of questions, "why does this want a description, when padding does not?" is an empty question: padding wants one already, and next to nothing is left to distribute. Our maps of NUM and HUM are safe: padding gives both a probability near 0. To the two readers of reviews padding is closer to even. Zeros and [MASK] are no better in general: look what the critic makes of them. The opinions also depend on the length of the text.
#
# Surely padding is neutral by its very meaning? In a padded batch it is, but only because the **attention mask** hides it: no token may look at it. On our path nothing is hidden. Padding stands where words stood and is read like them, which never happened in training. [MASK] was read in pretraining, but there it means *a word stands here, guess which*, not *nothing stands here*. Lesson 07's digit network was trained to find black neutral; nobody trained these three to find anything neutral. Where a baseline is neutral all the same, that is luck. Ask each time. If the answer is bad, take another baseline (lesson 13 takes another text), or say what F(x') is: the shares compare with that.
#
# Look at one question from all three baselines, and for three labels. Choose a label and a baseline; point at a word, or tap it, for its number.
#
# **Predict.** From padding, how much is there to distribute for HUM? And for DESC, which sign will *How* and *many* have?

# %% tags=["nbval-ignore-output"]
explore.token_explorer(
    {
        (label, baseline): token_attribution(asker, question, label, baseline=baseline)
        for label in ("NUM", "DESC", "HUM")
        for baseline in ("pad", "mask", "zero")
    }
)

# %% [markdown]
# For HUM there is next to nothing: F is near 0 at both ends, and no word has a colour. For DESC both are negative: padding wanted a description, and these two words took it back. From zeros *How* speaks *for* DESC, and the words after it against. Each map compares the question with its own x', so name the baseline whenever you show one.
#
# ## From a map to a suspicion, from a suspicion to a test
#
# The network is wrong about some of our own questions. What does it trip over?

# %% tags=["nbval-ignore-output"]
wrong = [one for one, is_right in zip(ours, right) if not is_right]
tripped = [
    token_attribution(asker, one.text, steps=64)
    for one in wrong
    if asker.predict([one.text])[0] == "HUM"
]
show.text(tripped)

# %% [markdown]
# Questions that want a place or a long form were taken for questions about a person. (We wrote a few of this kind on purpose; falling for them was the network's own doing.) In each, *Who* has the largest share. In the second it has more than the whole F(x) - F(x'). That is no error: other shares are negative, and only the sum of all is fixed. At the start of a question *Who* is a good sign of HUM. But "Who can tell me where the River Thames begins?" does not ask for a person.

# %% [markdown] tags=["slide"]
# So here is a suspicion: this network has a **trigger**, something in a text that should not decide and does. A map cannot prove it. A change of the text can: put "Who can tell me:" before every question, which does not change what is asked for, and count. A control puts "Please tell me:" there. If the phrase flips no more answers than the control does, the suspicion is dropped. Two more prefixes each keep a part of the phrase: *Who knows:* and *Can you tell me:*.
#
# **Predict.** Of the questions not called HUM, what fraction will flip to HUM behind each prefix?

# %% [markdown]
# ### Exercise 4: how many flip
#
# ●●○ · 6 minutes
#
# You have the labels before and after a change of the texts. Of the texts *without* the label before, return the fraction that have it afterwards.
#
# <details><summary>Hint 1</summary>
#
# Only texts that did not have the label before can flip to it. Choose them first: <code>before != label</code>.
#
# <details><summary>Hint 2</summary>
#
# The mean of a tensor of True and False, as <code>.double()</code>, is the fraction that is True.
#
# </details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-09-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flip_rate(before, after, label):
    """Of the texts that did not have the label before, the fraction that have it
    afterwards.

    before, after: (texts,), numbers of labels;  label: a number.  Returns one number.
    """
    ### BEGIN SOLUTION
    other = before != label
    return (after[other] == label).double().mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-09-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("09.4", flip_rate)


# %% tags=["slide"]
def answers(prefix=""):
    """The answers to our own questions, each behind the prefix, as numbers of
    labels."""
    asked = [
        prefix + one.text[0].lower() + one.text[1:] if prefix else one.text
        for one in ours
    ]
    return asker.probabilities(asked).argmax(dim=1)


def flips(prefix, label="HUM"):
    plain, behind, number = answers(), answers(prefix), asker.labels.index(label)
    return (behind[plain != number] == number).double()


by_trigger, by_control = flips("Who can tell me: "), flips("Please tell me: ")
print(f"the trigger flips {by_trigger.mean():.1f} of the questions to HUM")
print(f"the control flips {by_control.mean():.1f} of the questions to HUM")

# %% tags=["nbval-ignore-output", "slide-goes-on"]
for name, flipped in (
    ("Who can tell me: ", by_trigger),
    ("Please tell me: ", by_control),
    ("Who knows: ", flips("Who knows: ")),
    ("Can you tell me: ", flips("Can you tell me: ")),
):
    part, low, high = interval(flipped)
    print(f"{name:20s}{part:.0%} flip ({low:.0%} to {high:.0%})")

# %% [markdown]
# The network is right on at least nine questions in ten, yet four words that ask for nothing flip more than half of the answers that were not HUM. *Please tell me* flips none. Is it *Who*, then, or *can tell me*? The last two rows say: neither part flips nearly as many as the whole. The trigger is the phrase, and the map of single words pointed only roughly.
#
# A likely reason, which we did not measure: of the questions it learned from, those that begin with *who* nearly always want a person.
#
# Accuracy did not show this. Attribution raised the suspicion, from very few mistakes; the intervention corrected and settled it.
#
# ## And attention?
#
# Inside a transformer are numbers that look like an explanation: **attention** says how much each token takes from each of the others and from itself. Here is attention beside IG. We take the attention of the last layer, averaged over its parallel parts (heads) and over the tokens that do the looking.

# %%
encoder = asker.model.encoder
encoder.set_attn_implementation("eager")  # the only one that returns attention


def attention(sentence):
    """(tokens,) How much the tokens of the last layer look at each token, on
    average."""
    inputs = asker.inputs(asker.encode([sentence]))
    with torch.no_grad():
        looked = encoder(**inputs, output_attentions=True).attentions[-1]
    return looked[0].mean(dim=(0, 1))


weights = attention(question)
print("all tokens together get", show.rounded(weights.sum()))
print(f"the smallest weight: {weights.min():.2f}")

# %% tags=["nbval-ignore-output"]
for token, score, weight in zip(packaged.tokens, packaged.scores, weights):
    print(f"{token:10s} IG {score.item():+.2f}   attention {weight.item():.2f}")

# %% [markdown]
# They disagree, and you can see that they speak of different things. Attention has no sign; it also goes to [CLS], [SEP] and question marks; it belongs to no answer in particular.
#
# Is it an explanation? Jain and Wallace (2019) say no: other weights give the same answer. Wiegreffe and Pinter (2019) reply that this depends on what an explanation is for. So put IG and attention to the same test: take away the word that each ranks highest, and see how much of the answer is left. The control takes a word at random.
#
# **Predict.** Which of the three does the most harm?


# %%
def without(sentence, span):
    """The sentence without the characters of the span."""
    return " ".join((sentence[: span[0]] + sentence[span[1] :]).split())


def harm(sentences, strengths_of):
    """(sentences,) The probability lost by each sentence's answer where its strongest
    word goes."""
    lost = []
    for sentence in sentences:
        one, strengths = strengths_of(sentence)
        words = [
            n
            for n, (first, end) in enumerate(one.offsets)
            if first < end and sentence[first:end].isalnum()
        ]
        strongest = max(words, key=lambda n: strengths[n])
        number = asker.labels.index(one.prediction)
        shorter = without(sentence, one.offsets[strongest])
        kept = asker.probabilities([sentence, shorter])[:, number]
        lost.append(kept[0] - kept[1])
    return torch.stack(lost)


sample = [one.text for one in ours[::12]]
explained = {
    sentence: token_attribution(asker, sentence, steps=64) for sentence in sample
}
generator = torch.Generator().manual_seed(0)


def at_random(one):
    """A random number for each token."""
    return torch.rand(len(one.tokens), generator=generator).tolist()


losses = {
    "IG's word": harm(sample, lambda s: (explained[s], explained[s].scores.tolist())),
    "attention's word": harm(sample, lambda s: (explained[s], attention(s).tolist())),
    "a random word": harm(sample, lambda s: (explained[s], at_random(explained[s]))),
}

# %% tags=["nbval-ignore-output"]
show.intervals(
    {f"{name} cut": interval(lost) for name, lost in losses.items()},
    xlabel="probability lost",
    control="a random word cut",
)

# %%
for name in ("a random word", "attention's word"):
    gap, low, high = interval(losses["IG's word"] - losses[name])
    print(f"IG's word minus {name}: {gap:.1f} more harm ({low:.1f} to {high:.1f})")

# %% [markdown]
# IG's word does the most harm, attention's comes second, the random word last. The intervals say how far to trust this. Over the random word IG's lead is clear; over attention's word the interval reaches down to about 0, so luck is not ruled out. And it is a small sample, one network, one layer. The test is biased towards IG: its map is about this very answer, and attention is about no answer in particular. And a sentence with a word cut out is an unusual sentence. What carries over is the procedure: let explanations compete by what happens when you act on them.
#
# ## Two languages
#
# **Predict.** "The film is slow, but the cast is wonderful." Which words will speak for positive, and which against?

# %% tags=["nbval-ignore-output"]
film = "The film is slow, but the cast is wonderful."
rooms = ["房间很干净，服务也很好。", "房间又脏又旧，服务态度很差。"]
display(show.text(token_attribution(critic, film, "positive", steps=64)))
display(show.text(token_attribution(guest, rooms)))

# %% [markdown]
# *Wonderful* speaks for positive and *slow* against; the rest adds a little. The Chinese texts say "the room is very clean, and the service is good, too" and "the room is dirty and old, and the service is poor". Their network reads characters and knows no words: to it, 干净 (clean) is two characters.

# %% [markdown] tags=["slide"]
# ## Where single words end
#
# **Predict.** In "The film is not bad." the critic says positive. What share will *bad* get?

# %% tags=["nbval-ignore-output", "slide"]
four = (
    "The film is good.",
    "The film is not good.",
    "The film is bad.",
    "The film is not bad.",
)
for sentence, chance in zip(four, critic.probabilities(four)[:, 1].tolist()):
    print(f"P(positive) = {chance:.3f}  {sentence}")
shares = [token_attribution(critic, sentence, "positive") for sentence in four]
show.text(shares)

# %%
chances = critic.probabilities(four)[:, 1]
alone, together = (dict(zip(one.tokens, one.scores.tolist())) for one in shares[2:])
print("P(positive) of the four:", [round(chance, 1) for chance in chances.tolist()])
print(f"alone, bad gets {alone['bad']:.1f}")
print(f"in 'not bad', it gets {together['bad']:.1f}")
print("took as many steps as the error asked for:", bool(shares[3].evidence.converged))

# %% [markdown]
# Next to nothing. Is that a fault of the method? Look at the four answers. *Bad* alone is negative, and *not* makes *good* negative. *Not* and *bad* make a positive sentence only together. F rises from 0.4 at the padding to 0.9, and this one rise belongs to both. IG distributes it along the path, and most of it goes to *not*, the very word that spoke against *good*. By the axioms every share is right, yet "bad does not count" and "not is a word of praise" would both mislead.
#
# A list with one number for each word has no place for "together". Where words act together, as in negation, read a share as what the word does *in this sentence*, or change the text and compare the answers, as with the four above.

# %% [markdown]
# ### Exercise 5: together
#
# ●●○ · 5 minutes
#
# Put a number on "together". Cutting a word from a text changes F. Where a second word is missing already, cutting the first may change F by another amount. Take what the first word adds to F with the second there, and subtract what it adds with the second cut. Return this number for two words of any text. All other words stay.
#
# <details><summary>Hint 1</summary>
#
# Four texts are all you need: with both words, without the one, without the other, and without both.
#
# <details><summary>Hint 2</summary>
#
# What does the first word add if the second is there? And if the second is not there? Each is a difference of two values of F.
#
# <details><summary>Hint 3</summary>
#
# Rows for f: <code>there = torch.ones(4, words)</code>, then a 0 where a word is cut. It does not matter which of the two words you call the first; your number should not change either.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-09-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def together(f, words, first, second):
    """How much more the first word adds to F if the second is there than if it is not.

    f: (N, words) -> (N,), from rows of 1 where a word is there and 0 where it is cut;
    words: how many;  first, second: their numbers, from 0.  Returns one number.
    """
    ### BEGIN SOLUTION
    there = torch.ones(4, words)
    there[1:3, first] = 0
    there[2:, second] = 0
    both, only_second, neither, only_first = f(there)
    return (both - only_second) - (only_first - neither)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-09-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("09.5", together)

# %% [markdown]
# ## Good words that nobody sees
#
# Su (2020) reports something odd. A network was trained on positive and negative Chinese reviews. IG found the bad words in the negative ones, but could *not* find the good words in the positive ones. His reading: with two labels it is enough to detect the negative; all else is positive. Add neutral reviews, and the network has to know the good words, too.
#
# That can be tested. This course has **frames**, in two languages: the same sentence with a good, a bad and a neutral word in one place, so there is no doubt which word decides.

# %%
frames = load_frames("zh")
for one in [one for one in frames if one.frame == 0][::4]:
    print(f"{one.label:9s}{one.text}   decides: {one.marked}")

# %% [markdown]
# "The towels in the room are clean" (dirty, white). Two networks of the same kind learn from four fifths of the frames, one without the neutral sentences, one with them. Then IG is tested on the frames that neither has seen: does the token with the highest score belong to the word that decides?
#
# **Predict.** Without neutral sentences, in what fraction of the positive ones will the good word come first? And with them?

# %% tags=["nbval-ignore-output"]
known, unseen = held_out_frames(frames, seed=0)
two, three = ("negative", "positive"), ("negative", "neutral", "positive")
networks = {
    "without neutral": train_on_frames(known, two, "zh", seed=0),
    "with neutral": train_on_frames(known, three, "zh", seed=0),
}
for name, network in networks.items():
    for label in ("negative", "positive"):
        found = measure(network, unseen, label)
        cells = "   ".join(f"{what} {value:.2f}" for what, value in found.items())
        print(f"{name:16s}{label:10s}{cells}")
some = next(one for one in unseen if one.label == "positive")
show.text(
    [token_attribution(network, some.text, "positive") for network in networks.values()]
)

# %% [markdown]
# In nine of ten positive sentences that are classified correctly the good word comes first, and with neutral sentences a few more. But one seed proves nothing. `python -m igteach.training frames` does this for five seeds, each with its own split, in both languages. It wrote this table:

# %%
card = (data_folder() / "negative_detection.md").read_text(encoding="utf-8")
print("\n".join(line for line in card.splitlines() if line.startswith("|")))

# %% [markdown]
# The brackets hold the smallest and the largest of the five seeds; they are not confidence intervals. *Told right* is the fraction of sentences classified correctly, and *word found* is counted among these only. *Gained* is *word found* with neutral sentences minus *word found* without them: a difference for each seed, then the mean of the five. *Chance* is how often a token drawn at random belongs to that word. Read the rows of the positive labels.
#
# Su's finding is much weaker in this table. Without neutral sentences IG finds the good words nearly as often as the bad ones, far above chance. On average neutral sentences help in both languages, and in Chinese with every seed. (In English they also make the task harder: fewer sentences are classified correctly, and only those are counted.) But there is no sign of "cannot find the good words". What could explain it? Our frames are short, and the word that decides is always there; real reviews are long, and a positive one often says little that is good. That is a guess. The table is what was measured.
#
# The two texts above the table are the same sentence, read by the network trained without neutral sentences and by the one trained with them. One sentence can only illustrate; note that F(x') differs between the two as well.
#
# ## Recap
#
# From [lesson 07](07_baselines.ipynb): you explain a picture against black, and an important part of it *is* black. What share does it get? And what is the same mistake with words?
#
# <details><summary>Answer</summary>
#
# None: x - x' is zero there. With words, the mistake is a baseline that contains a word of the text. A subtler form is a baseline with an opinion, such as padding for the classifier of questions: what the baseline says already can no longer be explained.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** Debug from the sum. You turn shares of tokens into shares of words. On "Who painted the ceiling?" they add up. On the question about Constantinople and Byzantium they come to 85% of F(x) - F(x'), with 500 steps and with 5,000. What did you do?
#
# <details><summary>A. You took too few steps.</summary>
#
# Then 5,000 would come closer than 500.
#
# </details>
# <details><summary>B. You kept the first piece of each word and dropped the others.</summary>
#
# Right. "Byzantium" comes in three pieces, and the last two have the missing 15%. A text without rare words cannot show this bug, so test on one that has them.
#
# </details>
# <details><summary>C. You let [CLS] and [SEP] move and did not count them.</summary>
#
# Then the short question would not add up either: it has both.
#
# </details>

# %% [markdown]
# **Question 2.** A map shows that "who" decided. What have you shown?
#
# <details><summary>A. Where to look.</summary>
#
# Right. Whether the word decides where it should not is a question for an intervention with a control.
#
# </details>
# <details><summary>B. That the network has a trigger.</summary>
#
# A high share says that the word counted in this sentence, not that it should not have. In most questions "who" is a good reason.
#
# </details>

# %% [markdown]
# **Question 3.** In "not bad", the word "bad" gets next to nothing. What is wrong?
#
# <details><summary>A. The number of steps.</summary>
#
# The cell above took as many as the error estimate asked for.
#
# </details>
# <details><summary>B. The network does not understand negation.</summary>
#
# In these four sentences it flipped the answer, as it should.
#
# </details>
# <details><summary>C. The reading "bad does not count here".</summary>
#
# Right. Put *good* in its place, and the answer flips. The share says what the word did together with the others; a list of single words has no place for pairs.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("09")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. Run the path through the embeddings, keep what belongs to the network (special tokens, positions, masks), and add up the shares of each token.
# 2. A baseline for words has opinions, too. Ask it before you ask about the text.
# 3. A map raises a suspicion; a changed text, with a control, settles it. And a list of single words cannot say "together".
#
# **Where it comes from.** IG on question types: Sundararajan, Taly and Yan (2017). The question types: Li and Roth (2002). all-MiniLM-L6-v2: Wang et al. (2020), Reimers and Gurevych (2019). The low-rank change of the weights: Hu et al. (2021). Film reviews: Pang and Lee (2005). Networks on short strings: Kim (2014). Attention as an explanation: Jain and Wallace (2019), Wiegreffe and Pinter (2019). Triggers found by attribution, and attacks made from them: Mudrakarta, Taly, Sundararajan and Dhamdhere (2018). Negative detection: Su (2020).
#
# **What is next.** [Lesson 10](10_on_the_gpu.ipynb): the same calls on a GPU, and how long they take.
