"""Answers to lesson 08 as students write them."""

import numpy as np
import torch


def relevance_mass(values, mask):
    pixels = values.numpy().sum(axis=0)
    return np.abs(pixels[mask.numpy()]).sum() / np.abs(pixels).sum()


def black(mean, deviation, height, width):
    return torch.stack([torch.full((height, width), float((0 - m) / d)) for m, d in zip(mean, deviation, strict=True)])[
        None
    ]


def log_odds(logits, target):
    rest = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    return logits[:, target] - rest.exp().sum(1).log()


def reach(scores, draws):
    means = [float(scores[row].mean()) for row in draws]
    return np.percentile(means, [2.5, 97.5])


def sorted_out(scores, draws):
    means = sorted(scores[draws].mean(dim=1).tolist())
    return [means[int(0.025 * len(means))], means[int(0.975 * len(means))]]


def zero_for_the_target(logits, target):
    others = logits.clone()
    others[:, target] = 0
    return logits[:, target] - others.logsumexp(dim=1)


RIGHT = {"08.1": relevance_mass, "08.2": reach, "08.3": black, "08.4": log_odds}
WRONG = [
    ("08.1", lambda v, m: v.abs().sum(0)[m].sum() / v.abs().sum(), "colour by colour"),
    ("08.1", lambda v, m: v.sum(0)[m].sum() / v.sum(), "kept the signs"),
    ("08.1", lambda v, m: v.sum(0).relu()[m].sum() / v.sum(0).relu().sum(), "positive shares only"),
    ("08.1", lambda v, m: v.sum(0).abs()[~m].sum() / v.sum(0).abs().sum(), "fraction outside"),
    ("08.1", lambda v, m: v.sum(0).abs()[m].mean() / v.sum(0).abs().mean(), "compared means"),
    ("08.1", lambda v, m: m.sum() / m.numel(), "whatever the map"),
    ("08.1", lambda v, m: v.sum(0).abs()[m].sum() / v.sum(0).abs()[~m].sum(), "inside with outside"),
    ("08.1", lambda v, m: v.mean(0).square()[m].sum() / v.mean(0).square().sum(), "On a map of 4 by 5"),
    ("08.1", lambda v, m: v.sum(0).abs() * m, "one number is wanted"),
    ("08.2", lambda s, d: s.quantile(torch.tensor([0.025, 0.975])), "single pictures"),
    ("08.2", lambda s, d: torch.stack([s[d].mean(1).min(), s[d].mean(1).max()]), "Cut the tails"),
    ("08.2", lambda s, d: s[d].mean(1).quantile(torch.tensor([0.05, 0.95])), "Half of the 5%"),
    ("08.2", lambda s, d: s[d].median(1).values.quantile(torch.tensor([0.025, 0.975])), "the mean is asked"),
    ("08.2", lambda s, d: s[d].mean(0).quantile(torch.tensor([0.025, 0.975])), "picture by picture"),
    ("08.2", lambda s, d: reach(s, d)[::-1], "High comes before low"),
    ("08.2", sorted_out, "from the sorted list"),
    ("08.2", lambda s, d: s[d].mean(1).quantile(0.975), "a tensor of shape (2,) is wanted"),
    ("08.2", lambda s, d: [float(s.mean() - s.std()), float(s.mean() + s.std())], "On 10 pictures"),
    ("08.3", lambda m, d, h, w: torch.zeros(1, 3, h, w), "mean colour"),
    ("08.3", lambda m, d, h, w: (m / d).view(1, 3, 1, 1).repeat(1, 1, h, w), "Watch the sign"),
    ("08.3", lambda m, d, h, w: (-m).view(1, 3, 1, 1).repeat(1, 1, h, w), "divides by the deviation"),
    ("08.3", lambda m, d, h, w: (-m * d).view(1, 3, 1, 1).repeat(1, 1, h, w), "multiplied by"),
    ("08.3", lambda m, d, h, w: ((1 - m) / d).view(1, 3, 1, 1).repeat(1, 1, h, w), "That is white"),
    ("08.3", lambda m, d, h, w: (-m / d).view(3, 1, 1).repeat(1, h, w), "a tensor of shape (1, 3, 2, 3) is wanted"),
    ("08.3", lambda m, d, h, w: torch.full((1, 3, h, w), float(-(m / d).mean())), "On pictures of 2 by 3"),
    ("08.4", lambda z, t: torch.softmax(z, dim=1)[:, t], "That is the probability"),
    ("08.4", lambda z, t: z[:, t] - torch.logsumexp(z, dim=1), "still among its rivals"),
    ("08.4", lambda z, t: z[:, t], "no say in it"),
    ("08.4", lambda z, t: 1 / (1 / z.softmax(1)[:, t] - 1), "logarithm is wanted"),
    ("08.4", lambda z, t: z[:, t] - torch.cat([z[:, :t], z[:, t + 1 :]], 1).max(1).values, "only the strongest rival"),
    ("08.4", lambda z, t: z[:, t] - torch.cat([z[:, :t], z[:, t + 1 :]], 1).mean(1), "mean logit"),
    ("08.4", lambda z, t: -log_odds(z, t), "wrong way round"),
    ("08.4", zero_for_the_target, "a rival whose logit is 0"),
    ("08.4", lambda z, t: log_odds(z, t)[:, None], "a tensor of shape"),
    ("08.4", lambda z, t: z[:, t] - z.mean(1), "On 4 classes"),
]
