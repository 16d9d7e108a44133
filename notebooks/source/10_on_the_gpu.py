# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"]
# # 10 · On the GPU
#
# **The question.** One picture takes a moment. How long do a thousand take, on which machine, and will they fit?
#
# **You will be able to**
# - run the same call on any device, and check that the answer is the same;
# - say what an answer costs, what a smaller tolerance costs, and how much of the time is the network's own;
# - predict how much memory a batch of gradients needs, and choose the batch size;
# - say what half precision does to attributions, not only to scores;
# - distribute a folder of pictures among processes so that the result does not depend on their number.
#
# **You need** [lesson 05](05_computing_the_integral.ipynb) and [lesson 08](08_image_models.ipynb).
#
# **Time.** 75 minutes, exercises included.
#
# **GPU.** Every cell runs on a CPU. Where a GPU changes something, the text says what.

# %%
import copy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import igteach
from igteach import show
from igteach.datasets.scenes import make_scenes
from igteach.exercises import check
from igteach.models import scenes

device = igteach.device()

# %% [markdown]
# ## One call, any device
#
# A tensor lives on a device, and so does a network. `igteach.device()` picks the best available: a CUDA card, else Apple's MPS, else the CPU; the environment variable `IGTEACH_DEVICE` overrides it. A method computes where its input lives. Nothing is copied behind your back, and a baseline on another device raises an error that says so.

# %%
model = scenes.load(device)
score = igteach.probability(model)
x = make_scenes(8, seed=0).x.to(device)
with torch.no_grad():
    target = model(x).argmax(dim=1)

here = igteach.integrated_gradients(score, x, 0.0, target, steps=64)
on_cpu = igteach.integrated_gradients(
    igteach.probability(scenes.load("cpu")), x.cpu(), 0.0, target.cpu(), steps=64
)
print("the answer is on the pictures' device:", here.values.device.type == device.type)
apart = ((here.values.cpu() - on_cpu.values).norm() / on_cpu.values.norm()).item()
print(f"the two answers are apart by {apart:.1%}")

# %% [markdown]
# On a GPU the two agree to within 0.1%, but not to the last digit: devices add numbers in different orders. (By default a recent CUDA card would compute convolutions in TF32, which keeps about three decimal digits of each number (float32: seven), and the answers would differ by much more. So the package asks for full float32.) A fixed number of steps keeps the comparison fair. With a tolerance the two devices may look at different points: the package cuts the cell with the largest error first (lesson 05), and where two are level, rounding decides.
#
# ## What an answer costs
#
# A gradient is one forward pass through the network and one backward pass. Everything else is the method's own work: it builds the points on the path, adds up gradients, estimates the error, decides where to look next.
#
# **Predict.** Ask for the default tolerance of 5%. What fraction of the time will be the network's own?


# %% tags=["nbval-ignore-output"]
def seconds(work):
    """How long work takes, after a first run to warm up."""
    work()
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def wait():
    """A GPU returns before it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()


# only x needs a gradient
frozen = igteach.probability(copy.deepcopy(model).requires_grad_(False))


def bare_passes(rows, batch_size):
    """Forward and backward passes for this many rows, and nothing else."""
    for start in range(0, rows, batch_size):
        numbers = torch.arange(start, min(start + batch_size, rows)) % len(x)
        points = x[numbers].requires_grad_()
        torch.autograd.grad(frozen(points)[:, 0].sum(), points)


answer = igteach.integrated_gradients(score, x, 0.0, target)
gradients = int(answer.evaluations.sum())
whole = seconds(lambda: igteach.integrated_gradients(score, x, 0.0, target))
bare = min(
    seconds(lambda: bare_passes(gradients, batch_size)) for batch_size in (16, 64)
)
fewest, most = answer.evaluations.min(), answer.evaluations.max()
print(f"8 pictures took {gradients} gradients, from {fewest} to {most} for one")
print(
    f"the answer: {whole:.2f} s; as many bare passes, at their best batch: "
    f"{bare:.2f} s; ratio {whole / bare:.2f}"
)

# %% [markdown]
# The network's own fraction is one over the ratio: a ratio of 2 means one half. The rest is the method's work. It weighs most on networks as small as this one; on large ones it vanishes beside the passes. So time is **gradients, times what one gradient costs on your machine**. The first factor is yours: you set it with the tolerance.

# %% [markdown] tags=["slide"]
# ## What a tolerance buys
#
# **Predict.** You ask for a fifth of the error. How many times as many gradients will it take?

# %% tags=["nbval-ignore-output", "slide"]
tolerances = (0.2, 0.1, 0.05, 0.02, 0.01)
bought = {}
for tolerance in tolerances:
    begin = time.perf_counter()
    bought[tolerance] = igteach.integrated_gradients(
        score, x, 0.0, target, tolerance=tolerance
    )
    took = time.perf_counter() - begin
    spent = bought[tolerance].evaluations
    largest = bought[tolerance].error_estimate.max()
    print(
        f"tolerance {tolerance:4.0%}: {spent.min():4d} to {spent.max():4d} gradients "
        f"a picture, {took:5.2f} s, estimates up to {largest:.1%}"
    )
totals = [int(answer.evaluations.sum()) for answer in bought.values()]
show.curves(
    tolerances,
    {"8 pictures": totals},
    xlabel="tolerance",
    ylabel="gradients",
    logarithmic=True,
)

# %%
fixed = igteach.integrated_gradients(score, x, 0.0, target, steps=256).values


def off(answer):
    """The error of each picture's shares, as in lesson 05."""
    moved = (answer.values - fixed).abs().flatten(1).sum(dim=1)
    return moved / fixed.abs().flatten(1).sum(dim=1)


print(
    "a smaller tolerance never took fewer gradients:",
    all(a <= b for a, b in zip(totals, totals[1:])),
)
worst = off(bought[0.05]).max().item()
print(f"the error of the worst picture, at 5%:          {worst:.0%}")
print(
    "the pictures needed different numbers, at 5%:  ",
    len(set(bought[0.05].evaluations.tolist())) > 1,
)

# %% [markdown] tags=["slide-goes-on"]
# Compare the lines for 5% and 1%: a fifth of the error costs four to five times the gradients. With kinks the error falls like 1/n (lesson 05), so five was the number to expect. If you only want to look at the map, a tolerance of 10% is good enough. And the count differs from picture to picture: each stops on its own.

# %% [markdown]
# ### Exercise 1: what was spent
#
# ●●○ · 8 minutes
#
# After each round the package estimates the error of each picture. A picture stops after the first round whose estimate is within the tolerance, that is, at most the tolerance. One that never gets there runs to the last round. How many gradients did they take in all?
#
# <details><summary>Hint 1</summary>
#
# Loop over the pictures and, inside, over the rounds, with a <code>break</code>.
#
# <details><summary>Hint 2</summary>
#
# A picture's estimate may rise again in a later round. By then the picture has stopped.
#
# <details><summary>Hint 3</summary>
#
# Without loops: <code>(estimates <= tolerance).int().argmax(dim=1)</code> is the first round within the tolerance, or 0 if there is none.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-10-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradients_spent(estimates, counts, tolerance):
    """The number of gradients that all pictures take together, each stopping on its
    own.

    estimates: (pictures, rounds);  counts: (rounds,), the gradients a picture has
    taken by the end of each round;  tolerance: one number.  Returns one number.
    """
    ### BEGIN SOLUTION
    within = estimates <= tolerance
    last = torch.where(within.any(dim=1), within.int().argmax(dim=1), len(counts) - 1)
    return counts[last].sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-1", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("10.1", gradients_spent)

# %% [markdown] tags=["slide"]
# ## Many rows at once
#
# Sixty-four steps for eight pictures make 512 gradients. You can ask for them one by one, or all in one batch. The sum is the same.
#
# **Predict.** How many rows at once will be fastest on your machine: 1, 16, 64 or 512?


# %% tags=["nbval-ignore-output", "slide"]
def in_batches_of(rows):
    return igteach.integrated_gradients(
        score, x, 0.0, target, steps=64, batch_size=rows
    )


took = {rows: seconds(lambda: in_batches_of(rows)) for rows in (1, 16, 64, 512)}
for rows, time_taken in took.items():
    print(f"{rows:4d} rows at once: {time_taken:.2f} s")
print(f"{'none given':>12s}: {seconds(lambda: in_batches_of(None)):.2f} s")
show.curves(
    list(took),
    {"8 pictures, 64 steps": list(took.values())},
    xlabel="rows at once",
    ylabel="seconds",
    logarithmic=True,
)

# %%
by_rows = [in_batches_of(rows).values for rows in (1, 16, 512)]
largest = max((values - by_rows[0]).norm() / by_rows[0].norm() for values in by_rows)
print(f"the number of rows changes the shares by at most {largest:.3%}")

# %% [markdown]
# Which was fastest on yours? One row at a time wastes the machine: each call has a fixed cost. On a CPU the gain ends early, once a batch no longer fits the cache, and more rows may even be slower. A GPU wants many rows: thousands of its units wait for work. If in doubt, leave `batch_size` out: the package picks a number for the device, seldom the very best one.
#
# To save memory, sum in batches. Memory then depends on the batch, not on the number of steps.

# %% [markdown]
# ### Exercise 2: Integrated Gradients in batches
#
# ●●○ · 12 minutes
#
# Write IG by the midpoint rule so that f never sees more than `rows` points at once. The check's functions run out of memory beyond that.
#
# <details><summary>Hint 1</summary>
#
# <code>alphas.split(rows)</code> cuts a tensor into pieces; the last one may be smaller.
#
# <details><summary>Hint 2</summary>
#
# The midpoints are <code>(torch.arange(steps) + 0.5) / steps</code>: make them once, for the whole path, then split.
#
# <details><summary>Hint 3</summary>
#
# Add up the gradients of each batch. Divide once, at the end, by the number of steps.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-10-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def in_batches(f, x, baseline, steps, rows):
    """Integrated Gradients by the midpoint rule, giving f at most this many rows at
    once.

    f: (N, features) -> (N,), N at most rows;  x, baseline: (1, features).
    Returns (1, features).
    """
    ### BEGIN SOLUTION
    alphas = (torch.arange(steps) + 0.5) / steps
    total = torch.zeros_like(x)
    for some in alphas.split(rows):
        points = baseline + some[:, None] * (x - baseline)
        total = total + igteach.gradient(f, points).values.sum(dim=0)
    return (x - baseline) * total / steps
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("10.2", in_batches)

# %% [markdown] tags=["slide"]
# ## Will it fit?
#
# On a CPU, memory is plentiful. On a GPU it runs out, and takes the program with it. Can you tell beforehand?
#
# It is not the picture that needs the memory. For the backward pass, autograd keeps what the layers computed on the forward pass, for every row of the batch, until the gradient is done. Our network is small enough to count what is kept: the output of each ReLU and each pooling, the picture itself, and the eight probabilities.
#
# **Predict.** A picture has 64 × 64 × 3 numbers. Does one row keep about as many, ten times as many, or a hundred times?

# %% tags=["slide"]
sizes = {"the picture": x[0].numel(), "the answer": 8}
with torch.no_grad():
    out = x[:1]
    for number, layer in enumerate(model):
        out = layer(out)
        if isinstance(layer, (torch.nn.ReLU, torch.nn.AvgPool2d)):
            sizes[f"layer {number}, {type(layer).__name__}"] = out.numel()
for name, size in sizes.items():
    print(f"{name:22s}{size:7d} numbers")

# %% [markdown]
# All of this is kept at once, for every row, at four bytes a number: that is the prediction. Now measure. With a hook, autograd tells you what it keeps. Two tensors may share a block of memory, so each block is counted once.


# %%
def measured(rows):
    """The bytes that autograd keeps for a batch of this many rows, weights not
    included."""
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    points = x[:rows].clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        score(points)
    for parameter in model.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    return sum(kept.values())


for rows in (1, 2, 8):
    predicted = 4 * rows * sum(sizes.values())
    times = measured(rows) / predicted
    print(f"{rows} rows: predicted {predicted:9,d} bytes; measured {times:.2f} of that")

# %% [markdown] tags=["slide-goes-on"]
# About eight times the picture, so the guess of ten was closest. For a larger network you need not count layers: measure two batch sizes. The difference in memory is the cost of the extra rows; the rest is fixed. Leave a margin.

# %% [markdown]
# ### Exercise 3: how many rows fit
#
# ●●○ · 8 minutes
#
# Given how many numbers one row keeps, layer by layer, and a memory budget, say how many rows fit. If not even one fits, try one: without it there is no answer at all.
#
# <details><summary>Hint 1</summary>
#
# For the bytes of one row: everything is kept at once, so add up, then multiply.
#
# <details><summary>Hint 2</summary>
#
# First subtract what is already taken: the weights, the pictures, the running sum.
#
# <details><summary>Hint 3</summary>
#
# <code>//</code> divides and rounds down.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-10-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rows_that_fit(sizes, each, taken, budget):
    """The largest number of rows that fit, at least 1.

    sizes: (layers,), numbers that one row keeps in each;  each: bytes per number;
    taken: bytes in use;  budget: bytes available in all.  Returns one whole number.
    """
    ### BEGIN SOLUTION
    bytes_of_a_row = int(sizes.sum()) * each
    return max(1, (budget - taken) // bytes_of_a_row)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("10.3", rows_that_fit)

# %% [markdown] tags=["slide"]
# ## Half the digits
#
# Half-precision numbers take half the memory, and recent hardware multiplies them several times as fast. bfloat16 keeps two or three decimal digits of each number. For *scores* that is often enough.
#
# **Predict.** In bfloat16 the scores of our pictures are off by less than 1%. By how much are the attributions off: as much, less, or more?

# %% tags=["slide"]
halved = copy.deepcopy(model).to(torch.bfloat16)
rough = igteach.integrated_gradients(
    igteach.probability(halved), x.bfloat16(), 0.0, target, steps=64
)
off_score = (rough.f_input.float() - here.f_input).abs()
moved = (rough.values.float() - here.values).abs().flatten(1).sum(dim=1)
off_shares = moved / here.values.abs().flatten(1).sum(dim=1)
most_off = bool(off_shares.median() > 0.01)
print("every score is right to 0.01:", bool(off_score.max() < 0.01))
print("shares are off by more than 1%, for most pictures:", most_off)

# %% tags=["nbval-ignore-output", "slide-goes-on"]
print(f"scores off by {off_score.max():.4f} at most")
middle, most = off_shares.median(), off_shares.max()
print(f"shares off by {middle:.1%} (median), {most:.1%} at most")

# %% [markdown] tags=["slide-goes-on"]
# More. A gradient is a sum of many terms, positive and negative, that nearly cancel. Rounding is in proportion to the terms, not to the little that is left of them. So half precision is never our default. If you want its speed, do what you just did: first compare a few pictures with full precision.

# %% [markdown]
# ## A thousand pictures
#
# **Predict.** Going by what you measured, how long will a thousand pictures take on your machine, at 5% and at 20%?

# %% tags=["nbval-ignore-output"]
for tolerance in (0.05, 0.2):
    for count in (2, 8):
        some = x[:count], 0.0, target[:count]
        time_taken = seconds(
            lambda: igteach.integrated_gradients(score, *some, tolerance=tolerance)
        )
        minutes = time_taken / count * 1000 / 60
        print(
            f"{tolerance:3.0%}, {count} pictures: {time_taken:.2f} s; "
            f"at this rate a thousand take {minutes:.1f} minutes"
        )

# %% [markdown]
# Was your guess near? The section on tolerances had the seconds for eight pictures; a thousand are 125 times as many. Time grows linearly with pictures and with gradients. Nothing saves you from that but a wider tolerance or more hardware.
#
# More hardware means more **processes**. Attribution makes this easy: no picture needs to know about another. A method that draws at random, such as expected gradients, must take its seed from the picture (its number or name), never from the process: else another number of processes gives other shares. And a run may be interrupted: started again, it should do what is left, and no picture twice.

# %% [markdown]
# ### Exercise 5: when is it done?
#
# ●●○ · 10 minutes
#
# You know how many gradients each picture takes. The processes run on unlike machines, each at a speed of its own, and an earlier run has done some of the pictures. Pictures are dealt out by their number, done or not. The N processes are numbered from 0; a process's number is its *rank*. It gets the pictures rank, rank + N, rank + 2N, and so on. All processes start at once and skip what is done. After how many seconds is the last picture done?
#
# <details><summary>Hint 1</summary>
#
# Ask one process first. Which pictures are its own, and which of these are left?
#
# <details><summary>Hint 2</summary>
#
# <code>gradients[rank::len(speeds)]</code> are the gradients of its pictures, and <code>is_done[rank::len(speeds)]</code> says which are done; <code>~</code> swaps True and False.
#
# <details><summary>Hint 3</summary>
#
# The last process need not be the slowest one, nor the one with the most gradients: compare their seconds.
#
# </details></details></details>


# %% nbgrader={"grade": false, "grade_id": "answer-10-5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def finishing_time(gradients, is_done, speeds):
    """The seconds until the last process has done its pictures.

    gradients: (pictures,), what each takes;  is_done: (pictures,), bool;
    speeds: (processes,), gradients per second.  Returns one number.
    """
    ### BEGIN SOLUTION
    left = torch.where(is_done, 0, gradients)
    seconds_each = [
        left[rank :: len(speeds)].sum() / speeds[rank] for rank in range(len(speeds))
    ]
    return torch.stack(seconds_each).max()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.5", finishing_time)

# %% [markdown]
# So eight processes are seldom eight times as fast: pictures differ, machines differ, and all wait for the last.
#
# `igteach.methods.folder` deals out its pictures in this way. It is built on `torch.distributed`. It reads a folder of pictures and writes a file for each; each file gets its final name only when complete; a picture that cannot be read is listed; started again, the program goes on where it stopped. `settings.json` records which model and options made the results, and the program refuses to go on with others. With EfficientNet-Lite0, on one machine with four GPUs, you would type
#
# ```
# torchrun --nproc-per-node 4 -m igteach.methods.folder PICTURES RESULTS
# ```
#
# `torchrun` starts the same program four times and tells each copy its rank, from 0 to 3. The copies then find each other and exchange short messages through a *backend*: NCCL between CUDA cards, **gloo** between CPUs.
#
# Here are two processes on the CPU, with the scenes network, and a file that is not a picture. `torch.distributed.run` is torchrun by its full name.

# %%
SCRIPT = """
import sys, pathlib, numpy, torch, torch.distributed as dist
from igteach.models import scenes
from igteach.methods.folder import attribute_folder
torch.set_num_threads(1)
dist.init_process_group("gloo")
read = lambda picture: torch.from_numpy(numpy.array(picture)).permute(2, 0, 1) / 255
pictures, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
attribute_folder(pictures, results, scenes.load("cpu"), read, tolerance=0.2)
dist.destroy_process_group()
"""
with tempfile.TemporaryDirectory() as folder:
    pictures, results = Path(folder, "pictures"), Path(folder, "results")
    pictures.mkdir()
    for number, picture in enumerate(x.cpu()[:5]):
        pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    (pictures / "5.png").write_text("this is no picture")
    Path(folder, "script.py").write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launch, "--nproc-per-node", "2", f"{folder}/script.py"]
    ended = subprocess.run(
        [*command, str(pictures), str(results)], capture_output=True, check=False
    ).returncode
    print("ended well:", ended == 0)
    print(sorted(path.name for path in results.iterdir()))
    broken = (results / "broken.txt").read_text().splitlines()
    print("listed as broken:", [line.partition(":")[0] for line in broken])
    theirs = torch.from_numpy(np.load(results / "3.png.npz")["values"])

read = (255 * x.cpu()[3:4]).round() / 255
f, label = igteach.probability(scenes.load("cpu")), int(target[3])
alone = igteach.integrated_gradients(f, read, 0.0, label, tolerance=0.2).values[0]
apart = (theirs - alone).norm() / alone.norm()
print(f"3.png, by the second process and alone in this one: apart by {apart:.0%}")

# %% [markdown]
# ## What else there is
#
# - `torch.compile` makes a network faster after a warm-up of seconds to minutes. It pays off over thousands of calls with inputs of one shape. Time both before you believe it.
# - A network begins with **affine** layers, before the first ReLU: h(x) = Wx + b. On a straight path their work can be done once per picture, not once per step. With h = h(x) and h' = h(x'),
#
#   $$W\,(x' + \alpha\,(x - x')) + b \;=\; (W x' + b) + \alpha\,\left((W x + b) - (W x' + b)\right) \;=\; h' + \alpha\,(h - h').$$
#
#   So two passes through these layers give every point on the path. On a CPU the package does this by itself if the model is an `nn.Sequential` and at least one of these layers is not tiny; on a GPU it did not pay.
# - If memory runs out in the middle of a run, the package halves the number of rows, goes on, and says so once.
# - With a tolerance, the package keeps gradients in memory for every cell that it may still cut, up to a bound. Beyond the bound it no longer cuts the cells that need it least.
#
# `make bench` compares time, memory and error with Captum's on your machine, and lists which of this package's goals were met. What it found on other machines is in `docs/benchmarks`. The smaller the network, the less a GPU helps with one example at a time: it waits for the next call instead of computing. Give it many examples in one call.
#
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): you ask for a tolerance of 2%. What do you learn that a fixed number of steps does not tell you?
#
# <details><summary>Answer</summary>
#
# Whether each picture's estimated error is below 2%, and how many gradients that took. Easy pictures stop early, hard ones go on, and one that never settles says so.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** You ask for half the tolerance, and leave the batch size as it is. What happens to memory?
#
# <details><summary>A. It stays within a bound.</summary>
#
# Right. Memory follows the batch size, and the bound on what is kept. Time follows the gradients.
#
# </details>
# <details><summary>B. It grows with the gradients, without limit.</summary>
#
# It would if all rows were one batch and all gradients were kept. The batch stays as it is, and only so many gradients are kept.
#
# </details>

# %% [markdown]
# **Question 2.** In half precision all scores agree with full precision to 0.01. May you explain in half precision?
#
# <details><summary>A. Yes, the network gives the same answers.</summary>
#
# The scores agree; the shares, which are sums of slopes, were off by more.
#
# </details>
# <details><summary>B. Only after comparing attributions.</summary>
#
# Right. Measure what you want to use: the shares, on a few pictures.
#
# </details>

# %% [markdown]
# **Question 3.** Two processes share a folder. One is killed. What should a good program have done?
#
# <details><summary>A. Written each result whole or not at all and, started again, skipped what is there.</summary>
#
# Right. A temporary name, then a rename: whoever finds a file by its name finds all of it.
#
# </details>
# <details><summary>B. Nothing; start again from the first picture.</summary>
#
# Hours may be lost, and the half-written file of the killed process looks like a result.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("10")

# %% [markdown] tags=["slide"]
# ## In three lines
#
# **Take away.**
#
# 1. The answer does not depend on the device, the batch size or the number of processes, beyond rounding. Check it.
# 2. Memory is what the layers keep for one row, times the batch size. Time is gradients per picture, times pictures, times the cost of one gradient; the tolerance sets the number of gradients.
# 3. Half precision may keep the scores and spoil the shares. Compare before you trust.
#
# **Where it comes from.** Automatic differentiation in PyTorch, and what it keeps: Paszke et al. (2019). bfloat16 and training with it: Kalamkar et al. (2019). Integrated Gradients: Sundararajan, Taly and Yan (2017).
#
# **What is next.** [Lesson 11](11_beyond.ipynb): methods that build on Integrated Gradients, and models that have no gradient.
