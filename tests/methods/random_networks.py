"""Networks drawn from a grammar: starts, blocks, heads, and what people do to them.

    network = input start block* head, done-to

Every piece is tried as it is added: what torch itself cannot run forward and back is left out.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

import igteach

CLASSES = 3
DOES_NOT_RUN = (RuntimeError, ValueError, IndexError, TypeError)
FAR = 1_000_000  # from a seed to the next one, where a network turns out not to run


@dataclass
class Case:
    """A network, where to ask it, and how it came about."""

    f: Callable[[Tensor], Tensor]
    x: Tensor
    baseline: Tensor
    target: int | None
    layer: nn.Module | None  # one that f calls once, with a tensor in and a tensor out
    story: list[str] = field(default_factory=list)


class Permute(nn.Module):
    def __init__(self, *order: int):
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)


class View(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1)


class Residual(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class ResidualInPlace(Residual):
    def forward(self, x: Tensor) -> Tensor:
        out = self.inner(x)
        out += x
        return out


class Backwards(nn.Sequential):
    """Layers whose order is not the one they run in, though it is a Sequential."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(-x) * 2


class Doubled(nn.Module):
    """A parametrisation."""

    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


class Grammar:
    """The draws of one network."""

    def __init__(self, seed: int):
        self.random, self.seed, self.story = random.Random(seed), seed, list[str]()
        torch.manual_seed(seed)

    def one(self, *choices):
        return self.random.choice(choices)

    def input(self) -> Tensor:
        shape = self.one((4,), (6,), (2, 5), (3, 4), (1, 6, 6), (2, 5, 5), (3, 8, 8), (3, 12, 12), (1, 4, 4, 4), (48,))
        x = torch.randn(2, *shape)
        layout = self.one("contiguous", "channels last", "transposed", "expanded", "strided", "contiguous")
        if layout == "channels last" and x.dim() > 2:
            x = x.movedim(1, -1).contiguous().movedim(-1, 1)
        elif layout == "transposed":
            x = x.transpose(0, -1).contiguous().transpose(0, -1)
        elif layout == "expanded":
            x = x[:1].expand_as(x)
        elif layout == "strided":
            x = torch.randn(2, *shape[:-1], 2 * shape[-1])[..., ::2]
        self.story.append(f"{layout} {shape}")
        return x

    def convolution(self, channels: int, dimensions: int) -> nn.Module:
        kinds = [(nn.Conv1d, nn.ConvTranspose1d), (nn.Conv2d, nn.ConvTranspose2d), (nn.Conv3d, nn.ConvTranspose3d)]
        plain, transposed = kinds[dimensions - 1]
        out, kernel = self.one(2, 3, 4), self.one(1, 2, 3, 5)
        if self.random.random() < 0.25:
            return transposed(channels, out, kernel, stride=self.one(1, 2))
        mode = self.one("zeros", "zeros", "circular", "reflect")
        options = {"padding": kernel // 2, "padding_mode": mode} if self.random.random() < 0.6 else {}
        return plain(channels, out, kernel, stride=self.one(1, 1, 2), bias=self.one(True, False), **options)

    def affine(self, h: Tensor) -> nn.Module:
        dimensions = h.dim() - 2
        choices = [lambda: nn.Linear(h.shape[-1], self.one(2, 4, 5)), nn.Identity, lambda: nn.Dropout(0.5), nn.Flatten]
        if 1 <= dimensions <= 3:
            choices += [lambda: self.convolution(h.shape[1], dimensions)] * 6
            choices += [lambda: (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[dimensions - 1](2)]
            choices += [lambda: Permute(0, *reversed(range(1, h.dim())))]
        if dimensions == 2:
            choices += [lambda: nn.AdaptiveAvgPool2d(2), lambda: nn.Flatten(2)]
        if dimensions == 0:
            choices += [lambda: nn.Linear(h.shape[1], self.one(4, 6, 8))] * 4
            if h.shape[1] % 2 == 0:
                choices += [lambda: nn.Unflatten(1, (2, h.shape[1] // 2))]
        return self.one(*choices)()

    def activation(self) -> nn.Module:
        kinds = nn.ReLU, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.ELU, nn.Softsign
        kind = self.one(*kinds)
        return kind(inplace=True) if kind in (nn.ReLU, nn.ELU, nn.SiLU) and self.random.random() < 0.5 else kind()

    def normalisation(self, h: Tensor) -> nn.Module:
        dimensions = h.dim() - 2
        kinds = [lambda: nn.LayerNorm(h.shape[-1], eps=0.1)]  # with a tiny eps it is a step function of few features
        if dimensions <= 3:
            kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions]
            kinds += [lambda: kind(h.shape[1])] * 2
        if dimensions >= 1:
            kinds += [lambda: nn.GroupNorm(1, h.shape[1], eps=0.1)]
        if 1 <= dimensions <= 3:
            kinds += [
                lambda: (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[dimensions - 1](h.shape[1], eps=0.1)
            ]
        layer = self.one(*kinds)()
        for buffer in layer.buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        return layer

    def pooling(self, h: Tensor) -> nn.Module:
        dimensions = h.dim() - 2
        if not 1 <= dimensions <= 3:
            return nn.Identity()
        largest = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[dimensions - 1]
        mean = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[dimensions - 1]
        adaptive = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[dimensions - 1]
        return self.one(lambda: largest(2), lambda: mean(2), lambda: adaptive(2), lambda: largest(3, 1, 1))()

    def residual(self, h: Tensor) -> nn.Module:
        inner = nn.Sequential(nn.Linear(h.shape[-1], h.shape[-1]), self.activation())
        return self.one(Residual, ResidualInPlace)(inner)

    def layers(self, x: Tensor) -> list[nn.Module]:
        """Start and blocks: each is kept if it runs."""
        layers, h = list[nn.Module](), x
        makers = [self.affine] * self.one(1, 1, 2, 3)
        for _ in range(self.one(1, 1, 2, 3)):
            makers += [lambda _: self.activation()]
            makers += self.one([], [self.affine], [self.normalisation], [self.pooling], [self.residual])
        for make in makers:
            layer = make(h)
            if layers and self.random.random() < 0.1:
                layer = self.one(*layers)  # tied
            layer.eval()
            try:
                with torch.no_grad():
                    out = layer(h.clone())
                if not 1 < out.dim() < 6 or len(out) != len(h) or not 0 < out[0].numel() <= 400:
                    continue
            except DOES_NOT_RUN:
                continue
            layers.append(layer)
            h = out
        return layers

    def draw(self) -> Case:
        x = self.input()
        layers = self.layers(x)
        target, head = self.one((0, CLASSES), (2, CLASSES), (None, 1), (0, 1))
        layers += [self.one(nn.Flatten, View)(), nn.LazyLinear(head) if self.random.random() < 0.3 else None]
        if layers[-1] is None:
            with torch.no_grad():
                width = nn.Sequential(*layers[:-2]).eval()(x.clone()).flatten(1).shape[1]
            layers[-1] = nn.Linear(width, head)
        if target is None and self.random.random() < 0.5:
            layers.append(nn.Flatten(0))
        cut = self.random.randrange(len(layers) + 1)
        kind = self.one(nn.Sequential, nn.Sequential, Backwards)
        f = self.one(lambda: nn.Sequential(*layers), lambda: nn.Sequential(kind(*layers[:cut]), *layers[cut:]))()
        f = f.double().eval()
        x = x.double()
        if not runs(f, x):  # a view of what cannot be viewed
            f = swap_views(f)
        f = self.one(lambda: f, lambda: f, lambda: igteach.logit(f), lambda: self.probability(f))()
        for _ in range(self.one(0, 0, 1, 1, 2)):
            f = self.do_to(f, x)
        baseline = self.one(torch.zeros_like(x), torch.randn_like(x), torch.full_like(x, 0.3))
        self.story.append(str(f))
        return Case(self.finally_(f, x), x, baseline, target, self.layer_of(f, x), self.story)

    def probability(self, f: nn.Module) -> nn.Module:
        return igteach.probability(f)

    def do_to(self, f: nn.Module, x: Tensor) -> nn.Module:
        """Something that people do to a module of f, undone where torch cannot run it."""
        module = self.one(*f.modules())
        weighted = [each for each in f.modules() if isinstance(getattr(each, "weight", None), nn.Parameter)]
        heavy = self.one(*weighted) if weighted else None
        changes: dict[str, Callable[[], object]] = {
            "forward hook": lambda: module.register_forward_hook(lambda m, received, out: torch.sin(2 * out)),
            "watching hook": lambda: module.register_forward_hook(lambda m, received, out: None),
            "pre-hook": lambda: module.register_forward_pre_hook(lambda m, received: (received[0] * 1.5,)),
            "backward hook": lambda: module.register_full_backward_hook(lambda m, into, out: tuple(map(doubled, into))),
            "backward pre-hook": lambda: module.register_full_backward_pre_hook(
                lambda m, out: tuple(map(doubled, out))
            ),
            "set forward": lambda: setattr(module, "forward", scaled(module.forward)),
        }
        if heavy is not None and heavy.weight.dim() > 1:
            changes |= {
                "old weight norm": lambda: nn.utils.weight_norm(heavy),
                "weight norm": lambda: parametrizations.weight_norm(heavy),
                "old spectral norm": lambda: nn.utils.spectral_norm(heavy),
                "spectral norm": lambda: parametrizations.spectral_norm(heavy),
                "pruning": lambda: prune.l1_unstructured(heavy, "weight", 0.3),
                "parametrisation": lambda: parametrize.register_parametrization(heavy, "weight", Doubled()),
            }
        name = self.one(*changes)
        handle = changes[name]()
        f.eval()
        if not runs(f, x) and handle is not None and not isinstance(handle, nn.Module):
            handle.remove()
            return f
        self.story.append(f"{name} on {type(module if 'hook' in name or 'set' in name else heavy).__name__}")
        return f

    def finally_(self, f: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
        what = self.one("module", "module", "module", "function", "scripted", "traced")
        if what in ("scripted", "traced") and not any(f._backward_hooks for f in f.modules()):
            try:
                made = torch.jit.script(f) if what == "scripted" else torch.jit.trace(f, (x,), check_trace=False)
                with torch.no_grad():
                    close = torch.allclose(made(x.clone()), f(x.clone()))
                if close and torch.allclose(made(x[:1].clone()), f(x[:1].clone())) and runs(made, x):
                    self.story.append(what)
                    return made
            except Exception:  # what torch.jit cannot take
                return f
        if what == "function":
            self.story.append("function")
            return lambda rows: f(rows)
        return f

    def layer_of(self, f: nn.Module, x: Tensor) -> nn.Module | None:
        """A module that f calls once, with a tensor of the rows coming out."""
        calls = dict[nn.Module, int]()
        handles = [
            module.register_forward_hook(lambda m, received, out: calls.update({m: calls.get(m, 0) + 1}))
            for module in f.modules()
        ]
        with torch.no_grad():
            f(x.clone())
        for handle in handles:
            handle.remove()
        once = [module for module, count in calls.items() if count == 1 and module is not f]
        return self.one(*once) if once else None


def doubled(gradient: Tensor | None) -> Tensor | None:
    return None if gradient is None else 2 * gradient


def scaled(original: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: original(x) * 0.7 + 0.1


def swap_views(f: nn.Module) -> nn.Module:
    for module in list(f.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, View):
                setattr(module, name, nn.Flatten())
    return f


def runs(f: nn.Module, x: Tensor) -> bool:
    """Whether f runs forward and back, at one row and at several."""
    try:
        for rows in (x, x[:1], torch.cat([x, x])):
            points = rows.detach().clone().requires_grad_()
            out = f(points.clone())
            torch.autograd.grad(out.sum(), points)
            with torch.no_grad():
                f(rows.clone())
    except DOES_NOT_RUN:
        return False
    return True


def draw(seed: int) -> Case:
    """The network of a seed."""
    for attempt in range(100):
        try:
            case = Grammar(seed + attempt * FAR).draw()
        except DOES_NOT_RUN:
            continue
        if runs(case.f, case.x):
            return case
    raise ValueError(f"no network of seed {seed} runs")
