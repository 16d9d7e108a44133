"""Every message of the package that says "pass ..." or "call ..." is driven here, and its advice followed: it works.

The table has a line for each: the module, a part of the message ({} is what is filled in), a call that is answered by
it, and the call as advised. Another test reads the sources, and finds a message that is not in the table.
"""

import ast
import copy
import functools
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeRegressor
from torch import nn

import igteach
from igteach import (
    Attribution,
    baselines,
    evaluate,
    groups,
    integrated_gradients,
    layer_integrated_gradients,
    logit,
    probability,
    show,
    smoothgrad,
)
from igteach.core.attribution import leaves
from igteach.methods.guided import guided_path
from igteach.methods.heads import component_conductance, mean_of_heads, without_heads
from igteach.methods.token_attribution import token_baseline
from igteach.models import lookup, text
from igteach.models.language import LanguageModel

PACKAGE = Path(igteach.__file__).parent
ROOMS = ("core", "methods", "evaluate", "show")

torch.manual_seed(0)
LINEAR = nn.Linear(3, 2)
MODEL = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
X = torch.randn(2, 3)
PICTURE = torch.rand(1, 3, 4, 4)
MASK = torch.zeros(4, 4, dtype=torch.bool)
MASK[0, 0] = True
SEGMENTER = nn.Conv2d(3, 2, 1)
WORDS = torch.tensor([[1, 2, 3]])
READER = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 2))
TABLE = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "dose": [1.0, 0.0, 1.0, 0.0]})
FOREST = RandomForestRegressor(3, random_state=0).fit(TABLE, [1.0, 2.0, 2.0, 3.0])
CLASSES = RandomForestClassifier(3, random_state=0).fit(TABLE, [1, 2, 3, 1])
SEARCH = GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2]}, cv=2).fit(
    TABLE, [1.0, 2.0, 2.0, 3.0]
)
NEIGHBOURS = KNeighborsRegressor(1).fit(np.eye(3), [1.0, 2.0, 3.0])
WIDE = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0], "c": [3.0, 1.0]})
BENT = make_pipeline(PolynomialFeatures(2), DecisionTreeRegressor(random_state=0)).fit(TABLE, [1.0, 2.0, 2.0, 3.0])
ig = integrated_gradients


def add(a, b):
    return (a + b).sum(1)


def scale(x, by):
    return (x * by[:, None]).sum(1)


def answer_of(x=X, **options):
    return ig(
        LINEAR if x.dim() == 2 else lambda x: x.flatten(1).sum(1), x, None, 1 if x.dim() == 2 else None, **options
    )


def answer(values, **fields):
    batch = len(leaves(values)[0])
    return Attribution(values, torch.ones(batch), torch.zeros(batch), 1, **fields)


def in_inference_mode():
    with torch.inference_mode():
        return nn.Linear(3, 2)


def saved(value, folder):
    path = f"{folder}/answer.safetensors"
    Attribution(torch.ones(1, 2), torch.ones(1), torch.zeros(1), value).save(path)
    return Attribution.load(path)


def in_picture(**options):
    return show.attributions(PICTURE[0], {"IG": answer_of(PICTURE)}, **options)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.other = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(self.layer(self.other(x)))


class Lost(nn.Module):
    """A layer whose output goes nowhere, one that moves the batch axis, and one that gives integers."""

    def __init__(self):
        super().__init__()
        self.used, self.lost, self.turned, self.counts = (nn.Linear(3, 2), nn.Linear(3, 2), Transposed(), Counts())

    def forward(self, x):
        self.lost(x)
        self.turned(x)
        self.counts(x)
        return self.used(x)


class Transposed(nn.Module):
    def forward(self, x):
        return x.T, x


class Counts(nn.Module):
    def forward(self, x):
        return x.round().long(), x


LOST, TWICE = Lost(), Twice()
HOLED = torch.where(X > 0, X, torch.nan)
BOOSTS = BaggingClassifier(
    GradientBoostingClassifier(n_estimators=2, random_state=0), n_estimators=2, random_state=0
).fit(TABLE.to_numpy(), [0, 1, 0, 1])


def add_up(x):
    return x.flatten(1).sum(1)


def spectrum(x):
    return (x.real - x.imag).sum(1)


def nested():
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])


def at_layer(name, **options):
    return layer_integrated_gradients(LOST, LOST.get_submodule(name), X, None, 1, **options)


def through(name):
    """A network whose only way goes through the second output of a layer."""

    class Through(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.end = Lost().get_submodule(name), nn.Linear(3, 2)

        def forward(self, x):
            return self.end(self.layer(x)[1])

    f = Through()
    return layer_integrated_gradients(f, f.layer, X, None, 1, index=1)


def boosted():
    xgboost = pytest.importorskip("xgboost")
    return xgboost.XGBRegressor(n_estimators=2).fit(TABLE, [1.0, 2.0, 2.0, 3.0])


class Regression(nn.Linear):
    config = SimpleNamespace(problem_type="regression")


@functools.cache
def reader():
    return text.load("sentiment_zh", "cpu")


class Wrapped(nn.Module):
    """The reader, whose answer is changed with what it was asked for."""

    def __init__(self, change):
        super().__init__()
        self.inner, self.change = reader().model, change

    def get_input_embeddings(self):
        return self.inner.get_input_embeddings()

    def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None):
        out = self.inner(input_ids=input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds)
        return self.change(getattr(out, "logits", out), input_ids)


def by_tokens(logits, input_ids):
    return logits if input_ids is None else logits + input_ids.sum(1, keepdim=True) * torch.tensor([1.0, 0.0])


def without_gradient(logits, input_ids):
    if logits.requires_grad:
        raise AttributeError("no backward pass in eval mode")
    return logits


def read_by(change):
    model = reader().model if change is None else Wrapped(change).eval()
    return igteach.token_attribution(text.TextClassifier(model, reader().tokenizer, reader().labels), "很差")


@functools.cache
def looker():
    return lookup.load("cpu")


class Continued(nn.Module):
    """The transformer that looks up, whose logits are changed with the tokens that it was given."""

    def __init__(self, change, **config):
        super().__init__()
        self.inner, self.change, self.config = looker().model, change, SimpleNamespace(**config)

    def get_input_embeddings(self):
        return self.inner.get_input_embeddings()

    def forward(self, input_ids):
        return self.change(self.inner(input_ids=input_ids, use_cache=False).logits, input_ids)


def continued(change=lambda logits, ids: logits, **config):
    return LanguageModel(Continued(change, **config).eval(), looker().tokenizer)


def halved():
    return LanguageModel(copy.deepcopy(looker().model).bfloat16(), looker().tokenizer)


def continues(prompt="k3 v7 k1 v2 k3", target=None, model=None, **options):
    return igteach.token_attribution(model or looker(), prompt, target, steps=2, **options)


def knocked_out(heads, means=None):
    means = mean_of_heads(looker(), ["k3 v7 k3"]) if means is None else means
    with without_heads(looker(), heads, means):
        return looker().likeliest("k3 v7 k3")


def with_special():
    """As `looker`, but that v15 is a special token, which does not move."""
    model = lookup.load("cpu")
    model.tokenizer.add_special_tokens({"sep_token": "v15", "cls_token": "v14"})
    return model


# module, part of the message, the call that it answers, the call as advised
ADVICE = [
    (
        "core/answer_file.py",
        "; pass tensors, tuples, dicts, numbers or strings",
        lambda t: saved([1], t),
        lambda t: saved(1, t),
    ),
    (
        "core/attribution.py",
        "example is {}, and the answer has {}; pass 0 to {}",
        lambda: show.attribution(answer_of(), example=2),
        lambda: (show.attribution(answer_of(), example=1), answer_of().example(1)),
    ),
    ("core/attribution.py", "; pass tensors, and str keys in a dict", lambda: answer({1: X}), lambda: answer({"1": X})),
    (
        "core/attribution.py",
        "; pass at least one tensor",
        lambda: Attribution((), X[:, 0], None, 1),
        lambda: answer((X,)),
    ),
    ("core/attribution.py", "; pass tensors with one batch axis", lambda: answer((X, X[:1])), lambda: answer((X, X))),
    (
        "core/attribution.py",
        "; pass a tuple of strings",
        lambda: answer(X, feature_names=[1, 2, 3]),
        lambda: answer(X, feature_names=tuple(map(str, [1, 2, 3]))),
    ),
    (
        "core/attribution.py",
        "; pass a name for each place of its last axis",
        lambda: answer(X, feature_names=("a",)),
        lambda: answer(X, feature_names=("a", "b", "c")),
    ),
    (
        "core/attribution.py",
        "; pass a tensor, or a tuple or dict of tensors",
        lambda: Attribution([1.0], X[:, 0], None, 1),
        lambda: answer(X),
    ),
    (
        "core/attribution.py",
        "pass x nearer to the baseline, or x and the model in float64",
        lambda: igteach.gradient_times_input(add_up, torch.full((1, 1), 3e38), -3e38),
        lambda: igteach.gradient_times_input(add_up, torch.full((1, 1), 3e38).double(), -3e38),
    ),
    (
        "core/evaluation.py",
        "; pass a tuple of {} indices, such as target=",
        lambda: ig(SEGMENTER, PICTURE),
        lambda: ig(SEGMENTER, PICTURE, target=(1, 2, 2)),
    ),
    (
        "core/evaluation.py",
        "one class; pass 0, or leave target out",
        lambda: ig(nn.Linear(3, 1), X, target=1),
        lambda: (ig(nn.Linear(3, 1), X, target=0), ig(nn.Linear(3, 1), X)),
    ),
    ("core/evaluation.py", " classes; pass 0..", lambda: ig(LINEAR, X, target=2), lambda: ig(LINEAR, X, target=1)),
    (
        "core/evaluation.py",
        "; make it outside of that, or pass copy.deepcopy(f)",
        lambda: ig(in_inference_mode(), X, target=1),
        lambda: ig(copy.deepcopy(in_inference_mode()), X, target=1),
    ),
    (
        "core/evaluation.py",
        "The first axis is the batch: for one example pass x[None]",
        lambda: ig(SEGMENTER, PICTURE[0], target=1),
        lambda: ig(SEGMENTER, PICTURE[0][None], target=(1, 2, 2)),
    ),
    (
        "core/functions.py",
        "; pass logit(model), which takes its numbers",
        lambda: ig(probability(Regression(3, 1)), X),
        lambda: ig(logit(Regression(3, 1)), X),
    ),
    (
        "core/functions.py",
        "; pass logit(model), which takes them as they are",
        lambda: ig(probability(nn.Sequential(LINEAR, nn.Softmax(1))), X, target=1),
        lambda: ig(logit(nn.Sequential(LINEAR, nn.Softmax(1))), X, target=1),
    ),
    (
        "core/functions.py",
        "; pass a Python function of scalars",
        lambda: igteach.toy(3),
        lambda: ig(igteach.toy(lambda a, b, c: a * b + c), X),
    ),
    (
        "core/groups.py",
        "; pass one each",
        lambda: answer(X).grouped([0, 1, 1], names=("a",)),
        lambda: answer(X).grouped([0, 1, 1], names=("a", "b")),
    ),
    (
        "core/groups.py",
        "; pass groups in the same form",
        lambda: answer((X, X)).grouped([0, 1, 1]),
        lambda: answer((X, X)).grouped(([0, 1, 1], [0, 0, 2])),
    ),
    (
        "core/groups.py",
        "; pass the number of each feature's group",
        lambda: answer(X).grouped([0.0, 1.0, 1.0]),
        lambda: answer(X).grouped([0, 1, 1]),
    ),
    (
        "core/groups.py",
        "; pass a number of pixels, at least 1",
        lambda: groups.patches(4, 4, 0),
        lambda: groups.patches(4, 4, 2),
    ),
    (
        "core/groups.py",
        "; pass that shape, such as (height, width) for pictures",
        lambda: answer(PICTURE).grouped(torch.zeros(5, 5, dtype=int)),
        lambda: answer(PICTURE).grouped(torch.zeros(4, 4, dtype=int)),
    ),
    (
        "core/inputs.py",
        "x is empty; pass a tensor, or a tuple or dict of tensors",
        lambda: ig(add, ()),
        lambda: ig(add, (X, X)),
    ),
    (
        "core/inputs.py",
        "; x is a {}: pass a {} with one for each input",
        lambda: ig(add, (X, X), X),
        lambda: ig(add, (X, X), (X, X)),
    ),
    (
        "core/inputs.py",
        " has {}, x has {}; pass one for each",
        lambda: ig(add, (X, X), (X,)),
        lambda: ig(add, (X, X), (X, X)),
    ),
    (
        "core/inputs.py",
        "pass {}.float() where it is a picture or a measurement, or ids in arguments=(",
        lambda: ig(scale, (X, torch.tensor([1, 2]))),
        lambda: (
            ig(scale, (X,), arguments=(torch.tensor([1, 2]),)),
            ig(scale, (X, torch.tensor([1, 2]).float())),
        ),
    ),
    (
        "core/inputs.py",
        " has the columns {}, and x has {}; pass those of x, in its order",
        lambda: ig(LINEAR, WIDE, WIDE[["c", "b", "a"]].iloc[0], 1),
        lambda: ig(LINEAR, WIDE, WIDE[["c", "b", "a"]].iloc[0][["a", "b", "c"]], 1),
    ),
    (
        "core/inputs.py",
        " is a single number; pass a tensor with an entry for each example",
        lambda: ig(add, (X, torch.tensor(1.0))),
        lambda: ig(add, (X, torch.ones(2, 1))),
    ),
    (
        "core/inputs.py",
        " has shape {}; pass (k, *",
        lambda: igteach.expected_gradients(add, (X, X), (X, X[:, :2])),
        lambda: igteach.expected_gradients(add, (X, X), (X, X)),
    ),
    ("core/inputs.py", "; pass as many of each", lambda: ig(add, (X, X[:1])), lambda: ig(add, (X, X))),
    (
        "core/integration.py",
        "but steps is None; pass steps=64, or leave rule out",
        lambda: answer_of(rule="left"),
        lambda: (answer_of(rule="left", steps=64), answer_of()),
    ),
    (
        "core/integration.py",
        "; pass a number above 0: 0.02 is 2%",
        lambda: answer_of(tolerance=0),
        lambda: answer_of(tolerance=0.02),
    ),
    (
        "core/paths.py",
        "; pass a function of alpha, or waypoints",
        lambda: igteach.path_gradients(LINEAR, X, 1),
        lambda: (
            igteach.path_gradients(LINEAR, lambda alpha: alpha * X, 1),
            igteach.path_gradients(LINEAR, torch.stack([0 * X, X]), 1),
        ),
    ),
    (
        "core/plain_modules.py",
        "is scripted (torch.jit), which hides its layers; pass the module",
        lambda: igteach.exact_integrated_gradients(torch.jit.script(MODEL), X, target=1),
        lambda: igteach.exact_integrated_gradients(MODEL, X, target=1),
    ),
    (
        "core/plain_modules.py",
        "is compiled (torch.compile), which hides its layers; pass the module",
        lambda: igteach.exact_integrated_gradients(torch.compile(MODEL, backend="eager"), X, target=1),
        lambda: igteach.exact_integrated_gradients(MODEL, X, target=1),
    ),
    (
        "core/quadrature.py",
        "needs both ends: pass at least 2",
        lambda: answer_of(rule="trapezoid", steps=1),
        lambda: answer_of(rule="trapezoid", steps=2),
    ),
    (
        "core/summary.py",
        "and the answer has {}; pass 0 to ",
        lambda: answer_of().summary(5),
        lambda: answer_of().summary(1),
    ),
    (
        "core/summary.py",
        "; pass how many shares to show, at least 1",
        lambda: answer_of().summary(count=0),
        lambda: answer_of().summary(count=1),
    ),
    (
        "core/tables.py",
        "pass numbers: .astype(float), or the code of each category",
        lambda: ig(LINEAR, np.array([["1", "2", "3"]]), target=1),
        lambda: ig(LINEAR, np.array([["1", "2", "3"]]).astype(float), target=1),
    ),
    (
        "core/tables.py",
        "{} is {}; pass {}",
        lambda: ig(LINEAR, [[1.0, 2.0, 3.0]], target=1),
        lambda: ig(LINEAR, torch.tensor([[1.0, 2.0, 3.0]]), target=1),
    ),
    (
        "core/tables.py",
        "pass a number, such as days since a date",
        lambda: ig(LINEAR, pd.DataFrame({"a": pd.to_datetime(["2026-01-01"]), "b": [1.0], "c": [2.0]}), target=1),
        lambda: ig(LINEAR, pd.DataFrame({"a": [5.0], "b": [1.0], "c": [2.0]}), target=1),
    ),
    (
        "core/tables.py",
        "pass its real and imaginary parts",
        lambda: ig(LINEAR, np.ones((1, 3)) * 1j, target=1),
        lambda: ig(nn.Linear(6, 2), np.concatenate([np.ones((1, 3)), np.zeros((1, 3))], 1), target=1),
    ),
    (
        "core/tables.py",
        " has no columns; pass those that the model takes",
        lambda: ig(LINEAR, pd.DataFrame(index=[0]), target=1),
        lambda: ig(LINEAR, pd.DataFrame({"a": [5.0], "b": [1.0], "c": [2.0]}), target=1),
    ),
    (
        "core/tables.py",
        "which has no gradient; pass it .astype('float32')",
        lambda: ig(LINEAR, np.ones((1, 3), dtype=int), target=1),
        lambda: ig(LINEAR, np.ones((1, 3), dtype=int).astype("float32"), target=1),
    ),
    (
        "core/validation.py",
        "f is {}; pass {}",
        lambda: ig(3, X),
        lambda: ig(LINEAR, X, target=1),
    ),
    (
        "core/validation.py",
        "f is {}; pass {}",
        lambda: ig(FOREST, TABLE),
        lambda: (
            igteach.tree_integrated_gradients(FOREST, TABLE),
            igteach.shapley_values(lambda rows: torch.from_numpy(NEIGHBOURS.predict(rows.numpy())), X),
        ),
    ),
    (
        "core/validation.py",
        "pass them to layer_integrated_gradients(f, embedding, x)",
        lambda: ig(READER, WORDS, target=1),
        lambda: layer_integrated_gradients(READER, READER[0], WORDS, target=1),
    ),
    (
        "core/validation.py",
        "it must be (batch, *features): for one example pass x[None]",
        lambda: ig(LINEAR, X[0], target=1),
        lambda: ig(LINEAR, X[0][None], target=1),
    ),
    (
        "core/validation.py",
        "; pass a tensor (batch, *features) of floating-point numbers",
        lambda: evaluate.deletion(LINEAR, [1.0], X, target=1),
        lambda: evaluate.deletion(LINEAR, X, X, target=1),
    ),
    (
        "core/validation.py",
        "is a nested tensor; pass torch.nested.to_padded_tensor(",
        lambda: ig(add_up, nested()),
        lambda: ig(add_up, torch.nested.to_padded_tensor(nested(), 0.0)),
    ),
    (
        "core/validation.py",
        "{} is {}; pass {}.to_dense()",
        lambda: ig(LINEAR, X.to_sparse(), target=1),
        lambda: ig(LINEAR, X.to_sparse().to_dense(), target=1),
    ),
    (
        "core/validation.py",
        "; pass torch.view_as_real({}), and torch.view_as_complex in f",
        lambda: ig(spectrum, X + 0j),
        lambda: ig(lambda x: spectrum(torch.view_as_complex(x)), torch.view_as_real(X + 0j)),
    ),
    (
        "core/validation.py",
        "which has no gradient; pass {}.float(), in the model's units",
        lambda: ig(LINEAR, X.byte(), target=1),
        lambda: ig(LINEAR, X.byte().float(), target=1),
    ),
    (
        "core/validation.py",
        "; pass an int, a tensor of ints with one class for each example",
        lambda: ig(LINEAR, X, target="cat"),
        lambda: (
            ig(LINEAR, X, target=1),
            ig(LINEAR, X, target=torch.tensor([0, 1])),
            ig(SEGMENTER, PICTURE, target=(1, 2, 2)),
        ),
    ),
    (
        "core/validation.py",
        " examples pass an int or (",
        lambda: ig(LINEAR, X, target=torch.tensor([0, 1, 1])),
        lambda: (ig(LINEAR, X, target=1), ig(LINEAR, X, target=torch.zeros(2, dtype=int))),
    ),
    (
        "core/validation.py",
        "; pass a tuple, as arguments=(mask,), or a dict",
        lambda: ig(scale, X, arguments=X[:, 0]),
        lambda: (ig(scale, X, arguments=(X[:, 0],)), ig(scale, X, arguments={"by": X[:, 0]})),
    ),
    (
        "core/validation.py",
        "; pass a whole number of at least",
        lambda: answer_of(steps=2.5),
        lambda: answer_of(steps=2),
    ),
    (
        "core/validation.py",
        "; pass one of x's shape, or of one example's",
        lambda: ig(LINEAR, X, torch.zeros(4), 1),
        lambda: (ig(LINEAR, X, torch.zeros(2, 3), 1), ig(LINEAR, X, torch.zeros(3), 1)),
    ),
    (
        "core/validation.py",
        "; pass an entry for each example; what is the same",
        lambda: ig(scale, X, arguments=(X[:1, 0],)),
        lambda: (ig(scale, X, arguments=(X[:, 0],)), ig(lambda x: scale(x, X[:1, 0]), X)),
    ),
    (
        "core/validation.py",
        "behaves differently there; call .eval() on {}",
        lambda: ig(nn.Sequential(LINEAR, nn.Dropout()), X, target=1),
        lambda: ig(nn.Sequential(LINEAR, nn.Dropout()).eval(), X, target=1),
    ),
    (
        "methods/baselines.py",
        "it must be (batch, *features): for one example pass x[None]",
        lambda: baselines.constant(X[0]),
        lambda: baselines.constant(X[0][None]),
    ),
    (
        "methods/baselines.py",
        "; pass probability(model), or x in float64",
        lambda: baselines.adversarial(LINEAR, 9 * X, 1),
        lambda: baselines.adversarial(probability(LINEAR), X, 1),
    ),
    (
        "methods/baselines.py",
        "; pass a finite number above 0",
        lambda: baselines.blur(PICTURE, 0.0),
        lambda: baselines.blur(PICTURE, 1.0),
    ),
    (
        "methods/baselines.py",
        "; for this x pass a tensor (N, ",
        lambda: baselines.mean(X, X[:, :2]),
        lambda: baselines.mean(X, torch.randn(5, 3)),
    ),
    (
        "methods/boosters.py",
        "to which XGBoost rounds; pass smaller units",
        lambda: igteach.tree_integrated_gradients(boosted(), np.array([[1e300, 0.0]])),
        lambda: igteach.tree_integrated_gradients(boosted(), np.array([[1e30, 0.0]])),
    ),
    (
        "methods/expected_gradients.py",
        "baselines has shape {}; pass (k, *",
        lambda: igteach.expected_gradients(LINEAR, X, X[:, None], 1),
        lambda: igteach.expected_gradients(LINEAR, X, torch.randn(5, 3), 1),
    ),
    (
        "methods/expected_gradients.py",
        "; pass a tensor (k, ...) of k baselines",
        lambda: igteach.average_integrated_gradients(LINEAR, X, 0.0, 1),
        lambda: igteach.average_integrated_gradients(LINEAR, X, torch.zeros(1, 3), 1),
    ),
    (
        "methods/expected_gradients.py",
        "is empty or holds NaN; pass (k, ...), finite",
        lambda: igteach.expected_gradients(LINEAR, X, X[:0], 1),
        lambda: igteach.expected_gradients(LINEAR, X, torch.randn(5, 3), 1),
    ),
    (
        "methods/gradients.py",
        "; pass a finite number above 0, in the units of x",
        lambda: smoothgrad(LINEAR, X, None, 1, stdev=0),
        lambda: smoothgrad(LINEAR, X, None, 1, stdev=0.1),
    ),
    (
        "methods/guided.py",
        "; pass a number from 0 to 1",
        lambda: guided_path(LINEAR, X, None, 1, fraction=2),
        lambda: guided_path(LINEAR, X, None, 1, fraction=0.5),
    ),
    (
        "methods/layer.py",
        "for autograd; pass another layer or index",
        lambda: at_layer("lost"),
        lambda: at_layer("used"),
    ),
    (
        "methods/layer.py",
        "baseline is {}, and x is {}; pass integers",
        lambda: layer_integrated_gradients(READER, READER[0], WORDS, WORDS * 0.0, 1),
        lambda: layer_integrated_gradients(READER, READER[0], WORDS, WORDS * 0, 1),
    ),
    (
        "methods/layer.py",
        "layer is {}; pass a module of f, such as model[2]",
        lambda: layer_integrated_gradients(MODEL, "2", X, None, 1),
        lambda: layer_integrated_gradients(MODEL, MODEL[2], X, None, 1),
    ),
    (
        "methods/layer.py",
        "; pass 'input' or 'output'",
        lambda: layer_integrated_gradients(MODEL, MODEL[2], X, None, 1, at="in"),
        lambda: layer_integrated_gradients(MODEL, MODEL[2], X, None, 1, at="input"),
    ),
    (
        "methods/layer.py",
        "it must be (rows, *units): pass another index",
        lambda: at_layer("turned", index=0),
        lambda: through("turned"),
    ),
    (
        "methods/layer.py",
        "which has no gradient; pass another index, layer or at",
        lambda: at_layer("counts", index=0),
        lambda: through("counts"),
    ),
    (
        "methods/layer.py",
        " times by f; pass a module that f calls once",
        lambda: layer_integrated_gradients(TWICE, TWICE.layer, X, None, 1),
        lambda: layer_integrated_gradients(TWICE, TWICE.other, X, None, 1),
    ),
    (
        "methods/piecewise_linear.py",
        "; pass the model itself or logit(model)",
        lambda: igteach.exact_integrated_gradients(probability(MODEL), X, target=1),
        lambda: (
            igteach.exact_integrated_gradients(MODEL, X, target=1),
            igteach.exact_integrated_gradients(logit(MODEL), X, target=1),
        ),
    ),
    (
        "methods/sums.py",
        "; pass the columns to every part of the sum in one order",
        lambda: igteach.sum_attributions(
            answer(X, feature_names=("a", "b", "c")), answer(X, feature_names=("b", "a", "c"))
        ),
        lambda: igteach.sum_attributions(
            answer(X, feature_names=("a", "b", "c")), answer(X, feature_names=("a", "b", "c"))
        ),
    ),
    (
        "methods/heads.py",
        "; pass a list of prompts",
        lambda: mean_of_heads(looker(), "k3 v7 k3"),
        lambda: mean_of_heads(looker(), ["k3 v7 k3"]),
    ),
    (
        "methods/heads.py",
        "prompts is empty; pass one or more",
        lambda: mean_of_heads(looker(), []),
        lambda: mean_of_heads(looker(), ["k3 v7 k3"]),
    ),
    (
        "methods/heads.py",
        "; pass a list of pairs (layer, head), such as [(0, 1)]",
        lambda: knocked_out([0, 1]),
        lambda: knocked_out([(0, 1)]),
    ),
    (
        "methods/heads.py",
        "means is {}; pass what mean_of_heads(model, prompts) gives",
        lambda: knocked_out([(0, 1)], 0.0),
        lambda: knocked_out([(0, 1)], mean_of_heads(looker(), ["k3 v7 k3"])),
    ),
    (
        "methods/heads.py",
        "layers of {} heads; pass what mean_of_heads(model, prompts) gives for this model",
        lambda: knocked_out([(0, 1)], torch.zeros(1, 4, 16)),
        lambda: knocked_out([(0, 1)], mean_of_heads(looker(), ["k3 v7 k3"])),
    ),
    (
        "methods/heads.py",
        "writes {} numbers; pass what mean_of_heads(model, prompts) gives for this model",
        lambda: knocked_out([(0, 1)], torch.zeros(2, 4, 15)),
        lambda: knocked_out([(0, 1)], mean_of_heads(looker(), ["k3 v7 k3"])),
    ),
    (
        "methods/heads.py",
        "; pass LanguageModel(model, tokenizer) of igteach.models.language",
        lambda: component_conductance(looker().model, "k3 v7 k3"),
        lambda: component_conductance(LanguageModel(looker().model, looker().tokenizer), "k3 v7 k3", steps=2),
    ),
    (
        "methods/heads.py",
        ", and an mlp; pass one such as Llama or GPT-2",
        lambda: component_conductance(continued(), "k3 v7 k3"),
        lambda: component_conductance(looker(), "k3 v7 k3", steps=2),
    ),
    (
        "methods/prompts.py",
        "; F would be 0: pass another token",
        lambda: continues(target="v7", against="v7"),
        lambda: continues(target="v7", against="v2"),
    ),
    (
        "methods/prompts.py",
        "; pass one of {}, another prompt as a str, or a tensor",
        lambda: continues(baseline=0),
        lambda: (
            continues(baseline="zero"),
            continues(baseline="k3 v2 k1 v7 k3"),
            continues(baseline=torch.zeros(64)),
        ),
    ),
    (
        "methods/prompts.py",
        "; pass one of as many, or one of {}",
        lambda: continues(baseline="k3 v7 k1"),
        lambda: (continues(baseline="k3 v2 k1 v7 k3"), continues(baseline="mean")),
    ),
    (
        "methods/prompts.py",
        ", and they are not moved; pass move='all'",
        lambda: continues("v15 k3", baseline="v14 k3", model=with_special()),
        lambda: continues("v15 k3", baseline="v14 k3", model=with_special(), move="all"),
    ),
    (
        "methods/prompts.py",
        " are both given; pass one: continuation asks",
        lambda: continues(target="v7", continuation="v7 k1"),
        lambda: (continues(target="v7"), continues(continuation="v7 k1")),
    ),
    (
        "methods/prompts.py",
        "continuation is {}; pass a str",
        lambda: continues(continuation=["v7"]),
        lambda: continues(continuation="v7"),
    ),
    (
        "methods/prompts.py",
        "nothing that the tokenizer reads; pass a word or more",
        lambda: continues(continuation=" "),
        lambda: continues(continuation="v7"),
    ),
    (
        "methods/prompts.py",
        "and the model reads {}; pass a shorter one",
        lambda: continues(continuation="v7 k1 v2", model=continued(max_position_embeddings=6)),
        lambda: continues(continuation="v7 k1", model=continued(max_position_embeddings=6)),
    ),
    (
        "methods/prompts.py",
        "special ones or of a chat's template; pass move='all'",
        lambda: continues("v15", model=with_special()),
        lambda: continues("v15", model=with_special(), move="all"),
    ),
    (
        "methods/prompts.py",
        "call model.model.eval(), and take out of it what draws at random",
        lambda: continues(model=continued(lambda logits, ids: logits + torch.rand(1))),
        lambda: continues(model=continued()),
    ),
    (
        "methods/prompts.py",
        "model computes in {}, too coarsely to be attributed; call model.model.float() first",
        lambda: continues(model=halved()),
        lambda: continues(model=LanguageModel(halved().model.float(), looker().tokenizer)),
    ),
    (
        "methods/prompts.py",
        "; pass a model that reads tokens there alone",
        lambda: continues(model=continued(lambda logits, ids: logits + ids.sum())),
        lambda: continues(model=continued()),
    ),
    (
        "methods/token_attribution.py",
        "continuation goes with one prompt; call once for each",
        lambda: continues(["k3 v7 k3", "k1 v2 k1"], continuation="v7"),
        lambda: (continues("k3 v7 k3", continuation="v7"), continues("k1 v2 k1", continuation="v7")),
    ),
    (
        "methods/token_attribution.py",
        "; pass a model that reads words there alone",
        lambda: read_by(by_tokens),
        lambda: read_by(None),
    ),
    (
        "methods/token_attribution.py",
        "; pass a model that has one in eval mode",
        lambda: read_by(without_gradient),
        lambda: read_by(None),
    ),
    (
        "methods/token_attribution.py",
        "; pass TextClassifier(model, tokenizer, labels)",
        lambda: igteach.token_attribution(reader().model, "很差"),
        lambda: igteach.token_attribution(
            text.TextClassifier(reader().model, reader().tokenizer, reader().labels), "很差"
        ),
    ),
    (
        "methods/token_attribution.py",
        "; choose one of pad, mask, zero, or pass a tensor",
        lambda: token_baseline("none", reader(), torch.ones(1, 2, 3)),
        lambda: (
            token_baseline("zero", reader(), torch.ones(1, 2, 3)),
            token_baseline(torch.zeros(3), reader(), torch.ones(1, 2, 3)),
        ),
    ),
    (
        "methods/tree_ensembles.py",
        "; pass model.steps[-1][1], and x and baseline as model[:-1].transform",
        lambda: igteach.tree_integrated_gradients(BENT, TABLE),
        lambda: igteach.tree_integrated_gradients(
            BENT.steps[-1][1], BENT[:-1].transform(TABLE), BENT[:-1].transform(TABLE[:1])
        ),
    ),
    (
        "methods/tree_ensembles.py",
        "pass that member alone: its F is the sum",
        lambda: igteach.tree_integrated_gradients(BOOSTS, TABLE, target=0),
        lambda: igteach.tree_integrated_gradients(BOOSTS.estimators_[0], TABLE.to_numpy()),
    ),
    (
        "methods/tree_models.py",
        ", whose output is no sum of trees; pass ",
        lambda: igteach.tree_integrated_gradients(KNeighborsRegressor().fit(TABLE, [1, 2, 3, 4]), TABLE),
        lambda: igteach.tree_integrated_gradients(FOREST, TABLE),
    ),
    (
        "methods/tree_models.py",
        "; pass one of the model's labels",
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=True),
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=2),
    ),
    (
        "methods/tree_models.py",
        ", which is no label of the model; pass one of ",
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=0),
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=3),
    ),
    (
        "methods/tree_models.py",
        "; pass model.best_estimator_",
        lambda: igteach.tree_integrated_gradients(SEARCH, TABLE),
        lambda: igteach.tree_integrated_gradients(SEARCH.best_estimator_, TABLE),
    ),
    (
        "methods/tree_models.py",
        "target is missing: f returns {} classes; pass one of ",
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE),
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=1),
    ),
    (
        "methods/tree_models.py",
        " examples pass a label or {} of them",
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=[1, 2]),
        lambda: igteach.tree_integrated_gradients(CLASSES, TABLE, target=[1, 2, 3, 1]),
    ),
    (
        "methods/trees.py",
        " has the columns {}, {} {}; pass {}",
        lambda: igteach.tree_integrated_gradients(FOREST, TABLE[["dose", "age"]]),
        lambda: igteach.tree_integrated_gradients(FOREST, TABLE[["age", "dose"]]),
    ),
    (
        "evaluate/agreement.py",
        "; pass two maps (batch, *features) of one shape",
        lambda: evaluate.agreement(X, X[:1]),
        lambda: evaluate.agreement(X, X + 1),
    ),
    (
        "evaluate/curves.py",
        "; pass a map of x's shape {}, such as an Attribution's .values",
        lambda: evaluate.deletion(LINEAR, X, answer_of(), target=1),
        lambda: evaluate.deletion(LINEAR, X, answer_of().values, target=1),
    ),
    (
        "evaluate/maps.py",
        "; pass a tensor, such as the .values of an Attribution",
        lambda: evaluate.agreement(answer_of(), X),
        lambda: evaluate.agreement(answer_of().values, X),
    ),
    (
        "evaluate/maps.py",
        "pass torch.where({}.isfinite(), ",
        lambda: evaluate.agreement(HOLED, X),
        lambda: evaluate.agreement(torch.where(HOLED.isfinite(), HOLED, 0), X),
    ),
    (
        "evaluate/masks.py",
        "; pass one number for each of 2 or more pictures",
        lambda: evaluate.interval(torch.ones(1)),
        lambda: evaluate.interval(torch.ones(2)),
    ),
    (
        "evaluate/masks.py",
        "; pass (batch, channels, height, width) and a bool mask",
        lambda: evaluate.relevance_mass(PICTURE, MASK),
        lambda: evaluate.relevance_mass(PICTURE, MASK[None]),
    ),
    (
        "evaluate/randomisation.py",
        "; pass an nn.Module, whose parameters",
        lambda: [*evaluate.cascading_randomisation(LINEAR.forward)],
        lambda: [*evaluate.cascading_randomisation(LINEAR)],
    ),
    (
        "evaluate/randomisation.py",
        "; pass the module it was made from",
        lambda: [*evaluate.cascading_randomisation(torch.jit.script(MODEL))],
        lambda: [*evaluate.cascading_randomisation(MODEL)],
    ),
    (
        "evaluate/randomisation.py",
        "; pass a model that was trained",
        lambda: [*evaluate.cascading_randomisation(nn.ReLU())],
        lambda: [*evaluate.cascading_randomisation(MODEL)],
    ),
    (
        "show/answers.py",
        "; pass the Attribution that a method returned",
        lambda: show.attribution(X),
        lambda: show.attribution(answer_of()),
    ),
    (
        "show/answers.py",
        "; pass a dict with these keys",
        lambda: show.attribution(answer({"eye": PICTURE}), PICTURE[0]),
        lambda: show.attribution(answer({"eye": PICTURE}), {"eye": PICTURE[0]}),
    ),
    (
        "show/plates.py",
        "; pass a standard deviation in pixels, 0 or more",
        lambda: show.attribution(answer_of(PICTURE), smooth=-1),
        lambda: show.attribution(answer_of(PICTURE), smooth=1),
    ),
    (
        "show/answers.py",
        "; pass the answer of grouped(groups), with these groups",
        lambda: show.attribution(answer_of(PICTURE), groups=groups.patches(4, 4, 2)),
        lambda: show.attribution(answer_of(PICTURE).grouped(groups.patches(4, 4, 2)), groups=groups.patches(4, 4, 2)),
    ),
    (
        "show/figures.py",
        " has shape {}; pass {}",
        lambda: show.heatmaps({"a": PICTURE}),
        lambda: show.heatmaps({"a": PICTURE[0, 0]}),
    ),
    (
        "show/matrices.py",
        "; pass answers of token_attribution, or numbers (rows, columns)",
        lambda: show.matrix(1.0),
        lambda: (show.matrix(continues(continuation="v7 k1")), show.matrix([[1.0]], ["a"], ["b"])),
    ),
    (
        "show/matrices.py",
        "; pass answers alone, or numbers",
        lambda: show.matrix([continues(), 1.0]),
        lambda: (show.matrix([continues()]), show.matrix([[1.0]], ["a"], ["b"])),
    ),
    (
        "show/matrices.py",
        "; pass those of one prompt",
        lambda: show.matrix(continues(["k3 v7 k3", "k1 v2 k1"])),
        lambda: show.matrix(continues("k3 v7 k3", continuation="v7 k1")),
    ),
    (
        "show/matrices.py",
        "; pass a list of str for each",
        lambda: show.matrix([[1.0, 2.0]]),
        lambda: show.matrix([[1.0, 2.0]], ["a"], ["b", "c"]),
    ),
    (
        "show/text.py",
        "pass answers of token_attribution, or tokens as str with scores",
        lambda: show.text([1.0]),
        lambda: (show.text([continues()]), show.text(["a"], [1.0])),
    ),
    (
        "show/text.py",
        "; pass both, or answers",
        lambda: show.text(["a"]),
        lambda: (show.text(["a"], [1.0]), show.text(continues())),
    ),
    (
        "show/text.py",
        "tokens; pass one for each",
        lambda: show.text(["a", "b"], [1.0]),
        lambda: show.text(["a", "b"], [1.0, 2.0]),
    ),
    (
        "show/images.py",
        "; pass a dictionary from titles to attributions",
        lambda: show.attributions(PICTURE[0], answer_of(PICTURE)),
        lambda: show.attributions(PICTURE[0], {"IG": answer_of(PICTURE)}),
    ),
    (
        "show/figures.py",
        "; pass one picture: (3, H, W), (1, H, W) or (H, W)",
        lambda: show.attributions(PICTURE, {"IG": answer_of(PICTURE)}),
        lambda: show.attributions(PICTURE[0], {"IG": answer_of(PICTURE)}),
    ),
    (
        "show/figures.py",
        "; pass it in [0, 1], before any normalisation",
        lambda: show.attributions(9 * PICTURE[0], {"IG": answer_of(PICTURE)}),
        lambda: show.attributions(PICTURE[0], {"IG": answer_of(PICTURE)}),
    ),
    (
        "show/images.py",
        "; for this picture pass bool of shape",
        lambda: in_picture(mask=MASK.float()),
        lambda: in_picture(mask=MASK),
    ),
    (
        "show/images.py",
        "; pass True where the object is, or leave mask out",
        lambda: in_picture(mask=MASK & False),
        lambda: (in_picture(mask=MASK), in_picture()),
    ),
    (
        "show/images.py",
        "; pass the Attribution of one picture",
        lambda: show.attributions(PICTURE[0], {"IG": answer_of(PICTURE.repeat(2, 1, 1, 1))}),
        lambda: show.attributions(PICTURE[0], {"IG": answer_of(PICTURE)}),
    ),
]

NOT_HERE = {
    (
        "core/validation.py",
        " is on {}, x on {}; pass {}.to(x.device)",
    ): "needs a second device",
    ("core/inputs.py", "{}; pass {}.to({}.device)"): "needs a second device",
    ("methods/exact.py", "which has no float64; pass x.cpu() and model.cpu()"): "needs an Apple GPU",
    ("methods/tree_models.py", "and trees are walked on the CPU; pass x.cpu()"): "needs a second device",
    ("methods/folder.py", "; pass "): "reads and writes folders: tests/methods/test_folder.py",
}


def pattern(fragment):
    return ".+?".join(re.escape(piece) for piece in fragment.split("{}"))


def call(function, folder):
    """What a line of the table does; those that write take a folder."""
    return function(folder) if function.__code__.co_argcount else function()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("module", "fragment", "bad", "good"), ADVICE, ids=[f"{row[0]}: {row[1]}" for row in ADVICE])
def test_the_advice_works(module, fragment, bad, good, tmp_path):
    with pytest.raises(Exception) as raised:  # noqa: PT011  # of any kind: the message counts
        call(bad, tmp_path)
    said = " ".join([str(raised.value), *getattr(raised.value, "__notes__", [])])
    assert re.search(pattern(fragment), said), said
    found = call(good, tmp_path)
    for each in found if isinstance(found, tuple) else (found,):
        if isinstance(each, Attribution):
            assert each.f_input is not None


def messages(source):
    """Each text of a module, outside docstrings, that says pass or call; what is filled in is {}."""
    tree = ast.parse(source)
    expressions = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    for node in ast.walk(tree):
        if id(node) in expressions | pieces:
            continue
        if isinstance(node, ast.JoinedStr):
            said = "".join(piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values)
        else:
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if re.search(r"\b(pass|call) ", said):
            yield said


def test_every_message_that_gives_advice_is_in_the_table():
    table = [(module, fragment) for module, fragment, *_ in ADVICE] + list(NOT_HERE)
    missing, used = [], set()
    for path in sorted(path for room in ROOMS for path in (PACKAGE / room).glob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for said in messages(path.read_text(encoding="utf-8")):
            lines = {line for line in table if line[0] == module and line[1] in said}
            used |= lines
            if not lines:
                missing.append(f"{module}: {said}")
    assert not missing, "add a line to ADVICE, with the call as advised:\n" + "\n".join(missing)
    assert not set(table) - used, "of no message"


def test_a_message_is_found_wherever_it_is_built():
    source = """
def f(x):
    \'\'\'Docstrings may say pass it.\'\'\'
    what = "a tensor" if x else "pass a list"
    raise ValueError(f"x is {x!r}; pass " f"{what}, or call f")
"""
    assert sorted(messages(source)) == ["pass a list", "x is {}; pass {}, or call f"]
