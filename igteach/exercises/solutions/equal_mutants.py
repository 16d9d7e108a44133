"""Mutants of right answers that are right as well, each with the reason. `igteach.exercises.mutation` makes them."""

ONE_ROW = "there is one row"
FLAT = "there is one axis"
ALIKE = "only its shape, length, dtype or device is used, and that is the same"
NOT_NEGATIVE = "nothing in it is negative"
COPY = "a check passes a copy, and no number changes"
STEPS = "the answer is settled to the tolerance with fewer steps"
EMPTY = "one more end adds a stretch of length zero"
SCALE = "a common factor cancels, or changes no order"
MAGNITUDE = "it loses its sign"

EQUALLY_RIGHT: dict[str, dict[str, str]] = {
    "00.1": {
        "0 -> -1, in return (f(x) - f(baseline))[0]": ONE_ROW,
    },
    "00.4": {
        "values.sum(dim=0) -> values.mean(dim=0), in pixels = values.sum(dim=0)": SCALE,
    },
    "01.1": {
        "0 -> -1, in return ((f(x + nudge) - f(x - nudge)) / (2 * step))[0]": ONE_ROW,
        "0 -> -1, in nudge[0, feature] = step": ONE_ROW,
    },
    "01.4": {
        "ahead - behind -> behind - ahead, in a = (ahead - behind) / (2 * h)": MAGNITUDE,
        "ahead + behind - 2 * here -> 2 * here - (ahead + behind), in b = (ahead + behind - 2 * here) / (2 * h * h)": MAGNITUDE,
    },
    "01.5": {
        "0 -> -1, in logits = f(x)[0]": ONE_ROW,
        "logits[leader] - logits[rival] -> logits[rival] - logits[leader], in slope, = torch.autograd.grad(logits[leader] - logits[rival], x)": MAGNITUDE,
        "x.clone() -> x, in x = x.clone().requires_grad_()": COPY,
    },
    "02.1": {
        "0 -> -1, in return (f(x) - f(baseline))[0] - explained": ONE_ROW,
    },
    "02.2": {
        "x -> baseline, in return torch.stack(falls).reshape(x.shape)": ALIKE,
        "x -> baseline, in for i in range(x.shape[1]):": ALIKE,
        "0 -> -1, in changed[0, i] = baseline[0, i]": ONE_ROW,
    },
    "02.3": {
        "x - baseline -> baseline - x, in return steepness * (x - baseline).norm() / (f(x) - f(baseline))[0].abs()": MAGNITUDE,
        "f(x) - f(baseline) -> f(baseline) - f(x), in return steepness * (x - baseline).norm() / (f(x) - f(baseline))[0].abs()": MAGNITUDE,
        "0 -> -1, in return steepness * (x - baseline).norm() / (f(x) - f(baseline))[0].abs()": ONE_ROW,
    },
    "02.4": {
        "x -> baseline, in alphas = (torch.arange(101) / 100).to(x)": ALIKE,
        "101 -> 102, in alphas = (torch.arange(101) / 100).to(x)": "a point beyond x is not the first, as F has arrived at x",
        "made > 0.9 -> made >= 0.9, in return alphas[(made > 0.9).int().argmax()]": "no point has made exactly nine tenths",
    },
    "03.1": {
        "text.sum() -> text.abs().sum(), in return text / text.sum() - corpus / corpus.sum()": NOT_NEGATIVE,
        "corpus.sum() -> corpus.abs().sum(), in return text / text.sum() - corpus / corpus.sum()": NOT_NEGATIVE,
    },
    "03.2": {
        "f(candidates) - neutral -> neutral - f(candidates), in return (f(candidates) - neutral).abs().argmin()": MAGNITUDE,
    },
    "04.2": {
        "x -> baseline, in alphas = (torch.arange(steps).to(x) + 0.5) / steps": ALIKE,
    },
    "04.4": {
        "strokes -> baseline, in alphas = ((torch.arange(64) + 0.5) / 64).to(strokes)": ALIKE,
    },
    "05.3": {
        "alphas -> x, in ends = torch.cat([torch.zeros(1).to(alphas), alphas, torch.ones(1).to(alphas)])": ALIKE,
        "alphas -> baseline, in ends = torch.cat([torch.zeros(1).to(alphas), alphas, torch.ones(1).to(alphas)])": ALIKE,
        "1 -> 2, in ends = torch.cat([torch.zeros(1).to(alphas), alphas, torch.ones(1).to(alphas)])": EMPTY,
    },
    "05.4": {
        "(fine - middle).abs().sum() -> (fine - middle).abs().abs().sum(), in last = (fine - middle).abs().sum()": NOT_NEGATIVE,
        "(middle - coarse).abs().sum() -> (middle - coarse).abs().abs().sum(), in factor = (middle - coarse).abs().sum() / last": NOT_NEGATIVE,
        "fine - middle -> middle - fine, in last = (fine - middle).abs().sum()": MAGNITUDE,
        "middle - coarse -> coarse - middle, in factor = (middle - coarse).abs().sum() / last": MAGNITUDE,
    },
    "06.1": {
        "(one - other).abs().sum() -> (one - other).abs().abs().sum(), in return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())": NOT_NEGATIVE,
        "one.abs().sum() -> one.abs().abs().sum(), in return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())": NOT_NEGATIVE,
        "other.abs().sum() -> other.abs().abs().sum(), in return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())": NOT_NEGATIVE,
        "one - other -> other - one, in return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())": MAGNITUDE,
    },
    "06.3": {
        "x -> baseline, in shares = torch.zeros_like(x)": ALIKE,
        "0 -> -1, in before = f(here)[0]": ONE_ROW,
        "0 -> -1, in here[0, i] = x[0, i]": ONE_ROW,
        "0 -> -1, in shares[0, i] += f(here)[0] - before": ONE_ROW,
        "x -> baseline, in orders = list(permutations(range(x.shape[1])))": ALIKE,
    },
    "06.5": {
        "(after - before).abs().sum() -> (after - before).abs().abs().sum(), in return (after - before).abs().sum() / before.abs().sum()": NOT_NEGATIVE,
        "before.abs().sum() -> before.abs().abs().sum(), in return (after - before).abs().sum() / before.abs().sum()": NOT_NEGATIVE,
        "after - before -> before - after, in return (after - before).abs().sum() / before.abs().sum()": MAGNITUDE,
    },
    "07.1": {
        "0 -> -1, in p = f(baseline)[0]": ONE_ROW,
    },
    "07.2": {
        "slope.square().sum() -> slope.square().abs().sum(), in return x - f(x) / slope.square().sum() * slope": NOT_NEGATIVE,
    },
    "07.3": {
        "64 -> 65, in shares = [igteach.integrated_gradients(f, x, each[None], steps=64).values for each in baselines]": STEPS,
        "64 -> 63, in shares = [igteach.integrated_gradients(f, x, each[None], steps=64).values for each in baselines]": STEPS,
    },
    "07.5": {
        "candidates - x -> x - candidates, in apart = (candidates - x).abs()[:, region]": MAGNITUDE,
    },
    "08.2": {
        "scores[draws].mean(dim=1) -> scores[draws].abs().mean(dim=1), in return scores[draws].mean(dim=1).quantile(torch.tensor([0.025, 0.975]))": NOT_NEGATIVE,
    },
    "08.5": {
        "1 -> 2, in side = maps.shape[1]": ALIKE,
        "maps -> corners, in whole[top:top + side, left:left + side] += each / len(maps)": ALIKE,
    },
    "09.4": {
        "(after[other] == label).double().mean() -> (after[other] == label).double().abs().mean(), in return (after[other] == label).double().mean()": NOT_NEGATIVE,
    },
    "10.1": {
        "counts[last].sum() -> counts[last].abs().sum(), in return counts[last].sum()": NOT_NEGATIVE,
    },
    "10.2": {
        "x -> baseline, in total = torch.zeros_like(x)": ALIKE,
    },
    "10.3": {
        "sizes.sum() -> sizes.abs().sum(), in bytes_of_a_row = int(sizes.sum()) * each": NOT_NEGATIVE,
    },
    "10.5": {
        "left[rank::len(speeds)].sum() -> left[rank::len(speeds)].abs().sum(), in seconds_each = [left[rank::len(speeds)].sum() / speeds[rank] for rank in range(len(speeds))]": NOT_NEGATIVE,
    },
    "11.4": {
        "0 -> -1, in return torch.zeros_like(start).index_add(0, feature, after - before)": FLAT,
        "start -> end, in return torch.zeros_like(start).index_add(0, feature, after - before)": ALIKE,
    },
    "11.5": {
        "pulls.std(dim=0).sum() -> pulls.std(dim=0).abs().sum(), in of_one = pulls.std(dim=0).sum() / pulls.mean(dim=0).abs().sum()": NOT_NEGATIVE,
        "pulls.mean(dim=0).abs().sum() -> pulls.mean(dim=0).abs().abs().sum(), in of_one = pulls.std(dim=0).sum() / pulls.mean(dim=0).abs().sum()": NOT_NEGATIVE,
    },
    "12.3": {
        "maps.sum(dim=1).abs().mean(dim=0) -> maps.sum(dim=1).abs().sum(dim=0), in strength = maps.sum(dim=1).abs().mean(dim=0)": NOT_NEGATIVE,
        "maps.sum(dim=1).abs().mean(dim=0) -> maps.sum(dim=1).abs().abs().mean(dim=0), in strength = maps.sum(dim=1).abs().mean(dim=0)": NOT_NEGATIVE,
        "0 -> -1, in means = torch.nn.functional.avg_pool2d(strength[None], size, stride=1)[0]": ONE_ROW,
        "maps.sum(dim=1) -> maps.mean(dim=1), in strength = maps.sum(dim=1).abs().mean(dim=0)": SCALE,
    },
    "12.4": {
        "each.double().mean() -> each.double().abs().mean(), in return torch.stack([each.double().mean() for each in (found, found_without, fooled)])": NOT_NEGATIVE,
    },
    "12.5": {
        "0 -> -1, in for feature in shares[0].argsort(descending=True):": ONE_ROW,
        "0 -> -1, in left[0, feature] = reference[0, feature]": ONE_ROW,
    },
    "13.5": {
        "ids -> logits, in for place in range(prompt, ids.shape[1]):": ALIKE,
    },
    "14.1": {
        "logits -> lengths, in return logits[torch.arange(len(logits)), lengths - 1, target]": ALIKE,
    },
    "14.2": {
        "first -> second, in alphas = ((torch.arange(steps) + 0.5) / steps).to(first)[:, None]": ALIKE,
        "first -> first_start, in alphas = ((torch.arange(steps) + 0.5) / steps).to(first)[:, None]": ALIKE,
        "first -> second_start, in alphas = ((torch.arange(steps) + 0.5) / steps).to(first)[:, None]": ALIKE,
    },
    "14.3": {
        "x -> baseline, in ends = torch.linspace(0, 1, stretches + 1, device=x.device, dtype=x.dtype)": ALIKE,
    },
    "14.4": {
        "gaps.sum() -> gaps.abs().sum(), in if gaps.sum() < 0.05:": NOT_NEGATIVE,
        "gaps.sum() -> gaps.abs().sum(), in return 'jump' if gaps.max() > gaps.sum() / 2 else 'slopes'": NOT_NEGATIVE,
    },
}
