# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 10 · On the GPU
#
# **The question.** One picture takes a moment. How long do a thousand take, on what machine, and will they fit?
#
# **You will be able to**
# - run the same call on any device, and check that the answer is the same;
# - predict the memory that a batch of gradients needs, and choose its size;
# - say what half precision does to attributions, and not only to scores;
# - share a folder of pictures among processes so that the result does not depend on how many there are.
#
# **You need** [lesson 05](05_computing_the_integral.ipynb) and [lesson 08](08_image_models.ipynb).
#
# **Time.** 45 minutes, exercises included.
#
# **GPU.** Every cell runs on a CPU. Where a GPU changes something, the text says what.

# %%
import copy
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
# A tensor lives on a device, and so does a network. `igteach.device()` gives the best there is: a CUDA card, else Apple's MPS, else the CPU; the environment variable `IGTEACH_DEVICE` decides otherwise. A method computes where its input is. Nothing is copied behind your back, and a baseline that lies elsewhere is an error with a name.

# %%
model = scenes.load(device)
score = igteach.probability(model)
x = make_scenes(8, seed=0).x.to(device)
with torch.no_grad():
    target = model(x).argmax(dim=1)

here = igteach.integrated_gradients(score, x, 0.0, target)
on_cpu = igteach.integrated_gradients(igteach.probability(scenes.load("cpu")), x.cpu(), 0.0, target.cpu())
print("the answer lies where the pictures lie:", here.values.device.type == device.type)
print("the answers of both places agree to 0.1%:", bool((here.values.cpu() - on_cpu.values).norm() < 0.001 * on_cpu.values.norm()))

# %% [markdown]
# To 0.1%, not to the last digit: devices add numbers up in another order. (A recent CUDA card would by default compute convolutions in TF32, with 10 bits after the point, and the answers would be apart by much more. So the package asks for full float32.)
#
# ## Many rows at once
#
# Sixty-four steps of eight pictures are 512 gradients. They can be asked for one by one, or all in one batch. The answer is the same sum.
#
# **Predict.** How many rows at once will be fastest on your machine: 1, 16, 64 or 512?

# %% tags=["nbval-ignore-output"]
def seconds(work):
    """The time that work takes, once it has run before."""
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()  # a GPU answers before it is done
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


took = {rows: seconds(lambda: igteach.integrated_gradients(score, x, 0.0, target, batch_size=rows)) for rows in (1, 16, 64, 512)}
for rows, time_taken in took.items():
    print(f"{rows:4d} rows at once: {time_taken:.2f} s")
print(f"{'none given':>12s}: {seconds(lambda: igteach.integrated_gradients(score, x, 0.0, target)):.2f} s")
show.curves(list(took), {"8 pictures, 64 steps": list(took.values())}, xlabel="rows at once", ylabel="seconds", logarithmic=True)

# %%
by_rows = [igteach.integrated_gradients(score, x, 0.0, target, batch_size=rows).values for rows in (1, 16, 512)]
print("the number of rows changes nothing beyond rounding:", all(bool((v - by_rows[0]).norm() < 1e-4 * by_rows[0].norm()) for v in by_rows))

# %% [markdown]
# One row at a time wastes the machine: each call has a fixed cost. On a CPU the gain ends early, where the numbers of a batch no longer fit its cache, and more rows may even be slower. A GPU wants many rows, as thousands of its units wait for work. So `rows` is best left out: the package picks a number by the device, and halves it where memory ends.
#
# A sum in pieces is the whole trick behind it. Memory then depends on the piece and not on the steps.

# %% [markdown]
# ### Exercise 1: a sum in pieces
#
# ●●○ · 8 minutes
#
# Add up weighted slopes, `rows` of them at a time. Here they lie in a tensor; think of them as computed when their turn comes.
#
# <details><summary>Hint 1</summary>
#
# <code>range(0, len(weights), rows)</code> gives the beginnings of the pieces. A slice may reach beyond the end; it is cut there.
#
# <details><summary>Hint 2</summary>
#
# For one piece: <code>weights[start : start + rows] @ slopes[start : start + rows]</code>.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-10-1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def in_pieces(slopes, weights, rows):
    """The sum of weight times slope over the steps, in pieces of so many rows.

    slopes: (steps, features);  weights: (steps,);  rows: at once, at most.  Returns (features,).
    """
    ### BEGIN SOLUTION
    total = torch.zeros(slopes.shape[1])
    for start in range(0, len(weights), rows):
        total = total + weights[start : start + rows] @ slopes[start : start + rows]
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-1", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("10.1", in_pieces)

# %% [markdown]
# ## Will it fit?
#
# On a CPU memory is large. On a GPU it ends, and then the program does. Can you know before?
#
# What needs memory is not the picture. To walk back through the network, autograd keeps what the layers gave on the way there, for every row of the batch, until the gradient is done. Our network is small enough to count: what each ReLU and each pooling gave, the picture itself, and the eight probabilities.
#
# **Predict.** A picture has 64 × 64 × 3 numbers. Does one row keep about as much, ten times as much, or a hundred times?

# %%
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
# ### Exercise 2: bytes of a batch
#
# ●○○ · 5 minutes
#
# From the numbers that one row keeps, layer by layer, say how many bytes a batch keeps.
#
# <details><summary>Hint 1</summary>
#
# Everything is kept at the same time: add up, then multiply.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "answer-10-2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bytes_kept(sizes, rows, each):
    """The bytes that a batch keeps for the way back.

    sizes: (layers,), numbers that one row keeps in each;  rows: in the batch;  each: bytes of a number.  Returns one number.
    """
    ### BEGIN SOLUTION
    return sizes.sum() * rows * each
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.2", bytes_kept)

# %% [markdown]
# Predicted; now measured. Autograd tells what it keeps, if asked by a hook. Each piece of memory counts once.

# %%
def measured(rows):
    """The bytes that autograd keeps for a batch of so many rows, without those of the weights."""
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
    print(f"{rows} rows: predicted {predicted:9,d} bytes; measured within 2% of it: {abs(measured(rows) - predicted) <= 0.02 * predicted}")

# %% [markdown]
# Several times the picture, here, and more where a network has more layers. A program that puts all steps of all pictures into one batch multiplies it by the steps. With pieces you choose.

# %% [markdown]
# ### Exercise 3: how many rows fit
#
# ●○○ · 5 minutes
#
# Say how many rows a budget of memory allows. Where not even one fits, try one: without it there is no answer at all.
#
# <details><summary>Hint 1</summary>
#
# First take away what is taken already: weights, the picture, the running sum.
#
# <details><summary>Hint 2</summary>
#
# <code>//</code> divides and rounds down.
#
# </details></details>

# %% nbgrader={"grade": false, "grade_id": "answer-10-3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rows_that_fit(budget, fixed, each):
    """The largest number of rows in the budget, at least 1.

    budget, fixed, each: bytes in all, taken already, and kept for each row.  Returns one whole number, as a tensor.
    """
    ### BEGIN SOLUTION
    return torch.tensor(max(1, (budget - fixed) // each))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-3", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.3", rows_that_fit)

# %% [markdown]
# ## Half the digits
#
# Half-precision numbers take half the memory, and new hardware multiplies them several times as fast. bfloat16 has 7 bits after the point, fewer than TF32: two or three decimal digits. For *scores* that is often enough.
#
# **Predict.** In bfloat16 the scores of our pictures are off by less than 1%. By how much are the attributions off: as much, less, or more?

# %%
halved = copy.deepcopy(model).to(torch.bfloat16)
rough = igteach.integrated_gradients(igteach.probability(halved), x.bfloat16(), 0.0, target)
off_score = (rough.f_input.float() - here.f_input).abs()
off_shares = (rough.values.float() - here.values).abs().flatten(1).sum(dim=1) / here.values.abs().flatten(1).sum(dim=1)
print("every score is right to 0.01:", bool(off_score.max() < 0.01))
print("shares are off by more than 1%, for most pictures:", bool(off_shares.median() > 0.01))

# %% tags=["nbval-ignore-output"]
print(f"scores off by {off_score.max():.4f} at most; shares off by {off_shares.median():.1%} (median), {off_shares.max():.1%} at most")

# %% [markdown]
# More. A share is a small difference of large things, again and again, and rounding does not shrink with it. On deeper networks it gets worse. So half precision is never our default. Where you want its speed, do what you just did: compare a few pictures with full precision first.
#
# ## A thousand pictures
#
# **Predict.** From the table at the beginning: how long will a thousand pictures take on your machine?

# %% tags=["nbval-ignore-output"]
for count in (2, 4, 8):
    time_taken = seconds(lambda: igteach.integrated_gradients(score, x[:count], 0.0, target[:count]))
    print(f"{count} pictures: {time_taken:.2f} s; at this rate a thousand take {time_taken / count * 1000 / 60:.1f} minutes")

# %% [markdown]
# Time grows with pictures and with steps, as a straight line does. Nothing saves you from that but more machine or fewer steps, and of steps you know from lesson 05 how few will do: ask for a tolerance.
#
# More machine means more **processes**. Attribution makes it easy, as no picture needs to know of another. Process number *rank* out of N takes every N-th picture.

# %% [markdown]
# ### Exercise 4: my part
#
# ●○○ · 5 minutes
#
# Which pictures does a process take? Together they must take each picture exactly once.
#
# <details><summary>Hint 1</summary>
#
# <code>torch.arange(start, end, step)</code> counts in steps.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "answer-10-4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_part(count, rank, processes):
    """The numbers of the pictures that this process takes: rank, rank + processes, and so on.

    count: pictures, numbered from 0;  rank: from 0 to processes - 1.  Returns (pictures of this process,), in order.
    """
    ### BEGIN SOLUTION
    return torch.arange(rank, count, processes)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.4", my_part)

# %% [markdown]
# `igteach.methods.folder` is a program of that kind, on PyTorch's own engine. It reads a folder of pictures and writes a file for each; a file gets its name only when it is whole; a picture that cannot be read is listed; and started again, it goes on where it stopped. With SqueezeNet, on one machine with four GPUs, you would type
#
# ```
# torchrun --nproc-per-node 4 -m igteach.methods.folder PICTURES RESULTS
# ```
#
# Here are two processes on the CPU, with the network of scenes, and a picture that is none.

# %%
SCRIPT = """
import sys, pathlib, numpy, torch, torch.distributed as dist
from igteach.models import scenes
from igteach.methods.folder import attribute_folder
torch.set_num_threads(1)
dist.init_process_group("gloo")
read = lambda picture: torch.from_numpy(numpy.array(picture)).permute(2, 0, 1) / 255
attribute_folder(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), scenes.load("cpu"), read, steps=16)
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
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", f"{folder}/script.py"]
    ended = subprocess.run([*command, str(pictures), str(results)], capture_output=True, check=False).returncode
    print("ended well:", ended == 0)
    print(sorted(path.name for path in results.iterdir()))
    print("listed as broken:", [line.partition(":")[0] for line in (results / "broken.txt").read_text().splitlines()])

# %% [markdown]
# ## What else there is
#
# - `torch.compile` makes a network faster after a warm-up that takes from seconds to minutes. It pays for thousands of calls of one shape. Time both before you believe it.
# - A network begins with **affine** layers, before the first ReLU. On a straight path their part can be done once a picture, not once a step. On a CPU the package does this by itself where it can see the layers; on a GPU it did not pay.
# - Memory that ends in the middle of a run: the package halves the rows, goes on, and says so once.
#
# `make bench` measures time, memory and error beside Captum on your machine, with its goals, met or missed. What it found elsewhere lies in `docs/benchmarks`. From there, what to expect of fifty steps:

# %% tags=["nbval-ignore-output"]
reports = sorted((Path(igteach.__file__).parents[1] / "docs" / "benchmarks").glob("*.json"))
for report in [json.loads(file.read_text()) for file in reports]:
    print(f"{report['machine']['device']}, with {report['machine']['threads']} CPU thread")
    for name, network in report["models"].items():
        one = network["seconds"]["ours, midpoint 50"]["wall"]
        print(f"   {name:12s} one example {1000 * one:6.0f} ms, a thousand one by one {1000 * one / 60:5.1f} minutes")
if not reports:
    print("No tables here: they come with the repository, not with the package.")

# %% [markdown]
# The scenes CNN is the network of this lesson: compare with your own times above. The smaller the network, the less a GPU helps with one example at a time: it waits for the next call, not for sums. It wants many examples in one call, as in the table of rows above.
#
# ## Recap
#
# From [lesson 05](05_computing_the_integral.ipynb): you ask for a tolerance of 2%. What do you get to know that a fixed number of steps does not tell?
#
# <details><summary>Answer</summary>
#
# Whether each picture's estimated error is below 2%, and how many gradients that took. Easy pictures stop early, hard ones go on, and one that never settles says so.
#
# </details>
#
# ## Quiz

# %% [markdown]
# **Question 1.** You double the steps, and leave the rows at once as they are. What happens to memory?
#
# <details><summary>A. It doubles.</summary>
#
# It would if all steps were one batch. In pieces, only one piece is in memory at a time.
#
# </details>
# <details><summary>B. It stays.</summary>
#
# Right. Memory follows the rows at once, time follows the steps.
#
# </details>

# %% [markdown]
# **Question 2.** In half precision all scores agree with full precision to 0.01. May you explain in half precision?
#
# <details><summary>A. Yes, the network answers the same.</summary>
#
# The scores agree; the shares were off by more. They are sums of slopes, which round otherwise.
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
# <details><summary>A. Nothing; start anew from the first picture.</summary>
#
# Hours may be lost, and the half-written file of the killed process looks like a result.
#
# </details>
# <details><summary>B. Written each result whole or not at all, and skipped what is there when started again.</summary>
#
# Right. A temporary name, then a rename: whoever finds a file by its name finds all of it.
#
# </details>

# %% tags=["nbval-ignore-output"]
from igteach.exercises import hint, progress

progress("10")

# %% [markdown]
# ## In three lines
#
# **Take away.**
#
# 1. The answer does not depend on the device, the rows at once or the number of processes, beyond rounding. Check it.
# 2. Memory is what the layers keep, times rows at once. Time is gradients, times pictures.
# 3. Half precision may keep the scores and spoil the shares. Compare before you trust.
#
# **Where it comes from.** Automatic differentiation in PyTorch, and what it keeps: Paszke et al. (2019). bfloat16 and training with it: Kalamkar et al. (2019). Integrated Gradients: Sundararajan, Taly and Yan (2017).
#
# **What is next.** [Lesson 11](11_beyond.ipynb): methods that stand on Integrated Gradients, and models that have no gradient.
