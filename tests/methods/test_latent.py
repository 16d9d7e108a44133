"""A path through an autoencoder's codes: its ends, what lies between, and what it adds up to."""

import pytest
import torch

import igteach
from igteach.datasets import load_digits
from igteach.methods.latent import latent_path
from igteach.models import autoencoder, digits
from igteach.training.autoencoder import pairs, to_nearest


def shipped():
    network = autoencoder.load("cpu")
    return network.encode, network.decode


def test_a_curve_between_two_points_by_hand():
    # codes are squares: from 1 to 3 the code goes from 1 to 9, and half-way it is 5
    path = latent_path(lambda x: x**2, lambda z: z.sqrt(), torch.tensor([[3.0]]), torch.tensor([[1.0]]))
    torch.testing.assert_close(path(0.5), torch.tensor([[5.0]]).sqrt())


def test_it_ends_at_x_and_begins_at_the_baseline_whatever_the_decoder_gives():
    x, baseline = load_digits().x_test[:5], load_digits().x_test[5:10]
    path = latent_path(*shipped(), x, baseline)
    torch.testing.assert_close(path(0.0), baseline, rtol=0, atol=1e-6)
    torch.testing.assert_close(path(1.0), x, rtol=0, atol=1e-6)
    off = latent_path(lambda x: x, lambda z: 2 * z, x, baseline)
    torch.testing.assert_close(off(0.5), (x + baseline) - (x + baseline) / 4)


def test_gradients_along_it_add_up():
    held_out, network = load_digits(), digits.load("cpu")
    baseline, x = (part[:20] for part in pairs(held_out))
    with torch.no_grad():
        target = network(x).argmax(1)
    f = igteach.logit(network)
    path = latent_path(*shipped(), x, baseline)
    latent = igteach.path_gradients(f, path, target, x=x, baseline=baseline, steps=256)
    assert latent.relative_residual.max() < 0.02
    straight = igteach.integrated_gradients(f, x, baseline, target)
    apart = (latent.values - straight.values).abs().flatten(1).sum(1) / straight.values.abs().flatten(1).sum(1)
    assert apart.median() > 0.1


def test_an_autoencoder_that_changes_nothing_gives_the_straight_path():
    x, baseline = torch.randn(2, 4), torch.randn(2, 4)
    same = latent_path(lambda x: x, lambda z: z, x, baseline)
    torch.testing.assert_close(same(0.3), torch.lerp(baseline, x, 0.3))


def test_half_way_it_lies_nearer_to_digits_than_the_straight_path():
    held_out = load_digits()
    baseline, x = pairs(held_out)
    latent, straight = (
        to_nearest(middle[None], held_out.x_train)[0]
        for middle in (latent_path(*shipped(), x, baseline)(0.5), (x + baseline) / 2)
    )
    assert (latent < straight).double().mean() > 0.85
    assert latent.mean() < straight.mean() - 0.1


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"baseline has shape \(1, 3\); it must be that of x, \(1, 2\)"):
        latent_path(lambda x: x, lambda z: z, torch.ones(1, 2), torch.ones(1, 3))
    with pytest.raises(ValueError, match=r"decode gives shape \(1, 1\)"):
        latent_path(lambda x: x, lambda z: z[:, :1], torch.ones(1, 2), torch.ones(1, 2))
