"""The shares of some seventy calls, of every method, as they were stored.

A move or a new name must change none of them. Those by a fixed rule are older than the integrator that refines, which
gives the same. Where an answer is meant to change, `python tests/test_shares_hold.py` stores all of them again, in
shares.safetensors beside this file.
"""

from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from igteach.core.attribution import Attribution
from igteach.core.functions import logit, probability, toy
from igteach.datasets.digits import load_digits
from igteach.datasets.patients import load_patients
from igteach.datasets.scenes import make_scenes
from igteach.datasets.texts import load_reviews
from igteach.evaluate.agreement import agreement
from igteach.evaluate.controls import edges, random_gradients, random_numbers
from igteach.evaluate.curves import deletion, insertion, token_deletion, token_insertion
from igteach.evaluate.masks import interval, pointing_game, relevance_mass
from igteach.evaluate.randomisation import randomised_maps
from igteach.methods.baselines import (
    adversarial,
    blur,
    constant,
    mean,
    median,
    neutral,
    noise,
    opinion,
    sample,
    uniform,
    zero,
)
from igteach.methods.captum_methods import (
    deconvolution,
    deep_lift,
    gradient_shap,
    guided_backprop,
    lrp,
    occlusion,
    shapley_sampling,
)
from igteach.methods.conductance import neuron_conductance
from igteach.methods.exact import exact_integrated_gradients
from igteach.methods.expected_gradients import average_integrated_gradients, expected_gradients
from igteach.methods.gradients import gradient, gradient_times_input, smoothgrad
from igteach.methods.guided import guided_integrated_gradients, guided_path
from igteach.methods.integrated_gradients import integrated_gradients, path_gradients
from igteach.methods.latent import latent_path
from igteach.methods.shapley import shapley_values
from igteach.methods.sums import sum_attributions
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.methods.trees import tree_integrated_gradients, tree_shapley_values
from igteach.models.autoencoder import load as load_autoencoder
from igteach.models.digits import load as load_cnn
from igteach.models.digits import load_flat, load_plain
from igteach.models.patients import load as load_patients_mlp
from igteach.models.scenes import load as load_scenes_cnn
from igteach.models.text import load as load_text

STORED = Path(__file__).with_name("shares.safetensors")
TOLERANCE = 1e-12  # of the largest number of a call; models and inputs are in float64
IN_FLOAT32 = {  # something in these is float32 whatever is passed, and another processor rounds it otherwise
    "the_digits_cnn_in_float32": 1e-6,  # all of it, on purpose
    **dict.fromkeys(["captums_occlusion", "captums_shapley_sampling"], 1e-6),  # what Captum answers
    **dict.fromkeys(["smoothgrad_of_integrated_gradients", "baselines_with_noise"], 1e-6),  # the normal numbers
    "controls_that_know_nothing": 1e-6,  # the same
    # MiniLM: the product of the low-rank changes, which is added to its weights as they are loaded
    **dict.fromkeys(["the_tokens_of_a_question", "two_questions_from_masks", "curves_of_a_text"], 1e-6),
    **dict.fromkeys(["the_tokens_of_an_english_review_from_zero", "the_words_of_an_english_review"], 1e-6),
}
MOST = 512  # numbers stored as they are; of more, sums
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


# --- models and inputs, all in float64


@cache
def digits_cnn():
    return load_cnn("cpu").double()


@cache
def digits_mlp():
    """Its first layer is affine and wide: IG takes the way through the stem."""
    return load_plain("cpu").double()


@cache
def scenes_cnn():
    """The same holds of its first layer."""
    return load_scenes_cnn("cpu").double()


@cache
def drawn_mlp():
    """Six features, three classes."""
    random = torch.Generator().manual_seed(5)
    network = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 16), nn.Softplus(), nn.Linear(16, 3)).double()
    for parameter in network.parameters():
        parameter.data = 2 * torch.rand(parameter.shape, generator=random, dtype=torch.float64) - 1
    return network


@cache
def drawn_pooling_cnn():
    """Pictures of 6 by 6 pixels, two classes; piecewise linear, with a maximum."""
    random = torch.Generator().manual_seed(6)
    layers = [nn.Conv2d(1, 4, 3), nn.LeakyReLU(0.1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 2)]
    network = nn.Sequential(*layers).double()
    for parameter in network.parameters():
        parameter.data = 2 * torch.rand(parameter.shape, generator=random, dtype=torch.float64) - 1
    return network


def drawn(*shape, seed=0):
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1


@cache
def digits():
    """Three digits and their classes."""
    data = load_digits()
    return data.x_test[:3].double(), data.y_test[:3]


@cache
def training_digits():
    return load_digits().x_train[:40].double()


@cache
def scenes():
    """Two scenes, their classes and their masks."""
    data = make_scenes(2, 7)
    return data.x.double(), data.y, data.mask


@cache
def patients():
    """Four patients and, as a baseline, the mean of all."""
    data = load_patients()
    return data.x_test[:4].double(), data.x_train.double().mean(0)


@cache
def patients_table():
    data = load_patients()
    return data.x_train.double().numpy(), data.y_train.numpy()


@cache
def reader(name):
    classifier = load_text(name, "cpu")
    classifier.model.double()
    return classifier


@cache
def answered_question():
    return token_attribution(reader("question_types"), "How many people live in Newfoundland?", steps=64)


# --- gradients


@case
def the_gradient():
    x, y = digits()
    return gradient(digits_cnn(), x, target=y)


@case
def the_gradient_of_a_probability():
    x, y = digits()
    return gradient(probability(digits_mlp()), x, target=y)


@case
def gradient_times_input_from_grey():
    x, y = digits()
    return gradient_times_input(logit(digits_cnn()), x, 0.5, y)


@case
def smoothgrad_of_the_gradient():
    x, y = digits()
    return smoothgrad(digits_cnn(), x, target=y, stdev=0.15, samples=8, seed=3)


@case
def smoothgrad_of_integrated_gradients():
    x, y = digits()
    return smoothgrad(digits_cnn(), x, None, y, method=integrated_gradients, stdev=0.1, samples=3, steps=12)


# --- the straight path


@case
def the_digits_cnn():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, target=y, steps=64)


@case
def the_digits_cnn_in_float32():
    x, y = digits()
    return integrated_gradients(load_cnn("cpu"), x.float(), target=y, steps=64)


@case
def the_rule_left():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, 0.3, y, rule="left", steps=20)


@case
def the_rule_right():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, 0.3, y, rule="right", steps=20)


@case
def the_rule_trapezoid():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, 0.3, y, rule="trapezoid", steps=20)


@case
def the_rule_gauss_legendre():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, 0.3, y, rule="gauss_legendre", steps=20)


@case
def the_digits_cnn_refined():
    x, y = digits()
    return integrated_gradients(probability(digits_cnn()), x, None, y)


@case
def a_flat_network_refined_through_the_stem():
    x, y = digits()
    return integrated_gradients(probability(load_flat("cpu").double()), x, None, y)


@case
def the_stem_of_the_digits_mlp():
    x, y = digits()
    return integrated_gradients(probability(digits_mlp()), x, x.flip(0), y, steps=64)


@case
def the_digits_mlp_as_a_function_without_a_stem():
    x, y = digits()
    return integrated_gradients(lambda points: digits_mlp()(points).softmax(1), x, x.flip(0), y, steps=64)


@case
def the_stem_with_few_rows_at_once():
    x, y = digits()
    return integrated_gradients(digits_mlp(), x, target=y, steps=24, rule="gauss_legendre", batch_size=5)


@case
def few_rows_at_once():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, target=y, steps=9, batch_size=7)


@case
def one_row_at_once_refined():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, target=y, max_evaluations=15, batch_size=1)


@case
def a_tolerance_of_one_percent():
    x, y = digits()
    return integrated_gradients(digits_cnn(), x, target=y, tolerance=0.01)


@case
def a_tolerance_through_the_stem_that_is_not_reached():
    x, y = digits()
    return integrated_gradients(digits_mlp(), x, target=y, tolerance=1e-6, max_evaluations=100)


@case
def the_stem_of_the_scenes_cnn():
    x, y, _ = scenes()
    return integrated_gradients(scenes_cnn(), x, 0.5, y, steps=24)


@case
def the_scenes_cnn_as_a_function_without_a_stem():
    x, y, _ = scenes()
    return integrated_gradients(lambda points: scenes_cnn()(points), x, 0.5, y, steps=24)


@case
def a_drawn_mlp():
    return integrated_gradients(drawn_mlp(), drawn(5, 6), drawn(6, seed=1), torch.tensor([0, 1, 2, 1, 0]), steps=30)


@case
def a_function_of_plain_numbers():
    f = toy(lambda x, y, z: x * y.exp() + torch.sin(z) * min(x, z))
    return integrated_gradients(f, drawn(3, 3), drawn(3, seed=1), steps=15)


@case
def patients_from_their_mean():
    x, start = patients()
    return integrated_gradients(load_patients_mlp("cpu").double(), x, start, steps=64)


# --- other paths


@case
def a_path_by_way_points():
    x, y = digits()
    return path_gradients(digits_cnn(), torch.stack([0 * x, x.flip(0), 0.5 * x, x]), y, steps=30)


@case
def a_path_by_a_function():
    x, y = digits()

    def path(alpha):
        return alpha**2 * x + alpha * (1 - alpha) * x.flip(-1)

    return path_gradients(digits_mlp(), path, y, x=x, baseline=0.0, steps=20, rule="gauss_legendre", batch_size=11)


@case
def the_latent_path():
    x, y = digits()
    model = load_autoencoder("cpu").double()
    return path_gradients(digits_cnn(), latent_path(model.encode, model.decode, x, x.flip(0)), y, steps=24)


@case
def guided_integrated_gradients_of_digits():
    x, y = digits()
    return guided_integrated_gradients(digits_cnn(), x, target=y, steps=48, legs=12)


@case
def guided_integrated_gradients_near_the_straight_path():
    x, y = digits()
    return guided_integrated_gradients(
        digits_mlp(), x, 0.2, y, steps=32, legs=8, fraction=0.25, max_distance=0.2, batch_size=9
    )


@case
def the_way_points_of_the_guided_path():
    return guided_path(drawn_mlp(), drawn(4, 6), 0.1, 2, legs=6, fraction=0.3)


# --- many baselines


@case
def expected_gradients_over_digits():
    x, y = digits()
    return expected_gradients(digits_cnn(), x, training_digits(), y, samples=48, seed=2, batch_size=20)


@case
def the_average_over_baselines():
    x, y = digits()
    return average_integrated_gradients(digits_cnn(), x, training_digits()[:4], y, steps=16)


@case
def the_average_with_a_tolerance():
    x, y = digits()
    return average_integrated_gradients(digits_mlp(), x, training_digits()[:2], y, tolerance=0.02)


# --- without error


@case
def exact_shares_of_digits():
    x, y = digits()
    return exact_integrated_gradients(digits_cnn(), x[:1], target=y[:1])


@case
def exact_shares_with_a_maximum():
    return exact_integrated_gradients(logit(drawn_pooling_cnn()), drawn(3, 1, 6, 6), drawn(1, 6, 6, seed=1), 1)


@case
def exact_shares_of_patients():
    x, start = patients()
    return exact_integrated_gradients(load_patients_mlp("cpu").double(), x, start)


@case
def exact_shapley_values():
    return shapley_values(drawn_mlp(), drawn(3, 6), drawn(6, seed=1), torch.tensor([0, 2, 1]), batch_size=10)


# --- layers, trees and sums


@case
def the_conductance_of_channels():
    x, y = digits()
    return neuron_conductance(digits_cnn(), digits_cnn()[6], x, target=y, steps=12, batch_size=10)


@case
def the_conductance_of_tanh_units():
    return neuron_conductance(drawn_mlp(), drawn_mlp()[1], drawn(4, 6), 0.1, 1, steps=20, rule="gauss_legendre")


@case
def a_decision_tree():
    table, labels = patients_table()
    x, start = patients()
    model = DecisionTreeRegressor(max_depth=5, random_state=0).fit(table, labels)
    return tree_integrated_gradients(model, x, start)


@case
def a_random_forest():
    table, labels = patients_table()
    x, start = patients()
    model = RandomForestClassifier(8, max_depth=6, random_state=0).fit(table, labels)
    return tree_integrated_gradients(model, x, start, 1)


@case
def the_shapley_values_of_a_random_forest():
    table, labels = patients_table()
    x, start = patients()
    model = RandomForestClassifier(8, max_depth=6, random_state=0).fit(table, labels)
    return tree_shapley_values(model, x, start, 1)


@case
def boosted_trees():
    table, labels = patients_table()
    x, start = patients()
    model = GradientBoostingClassifier(init="zero", n_estimators=12, random_state=0).fit(table, labels)
    return tree_integrated_gradients(model, x, start)


@case
def histogram_boosting_with_a_category_and_missing_values():
    table, labels = patients_table()
    table = table[:, :8].round(2)
    table[:, 7] = table[:, 7].round(2) * 100 // 3
    table[::5, 2] = float("nan")
    model = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, categorical_features=[7], random_state=0)
    points = torch.from_numpy(table[:10])
    return tree_integrated_gradients(model.fit(table, labels), points, points.flip(0))


@case
def a_sum_of_trees_and_a_network():
    x = drawn(4, 6)
    points = drawn(200, 6, seed=1).numpy()
    model = ExtraTreesRegressor(5, max_depth=5, random_state=0).fit(points, points[:, 0] * points[:, 1])
    return sum_attributions(
        tree_integrated_gradients(model, x, 0.1), integrated_gradients(drawn_mlp(), x, 0.1, 1, steps=20)
    )


# --- texts


@case
def the_tokens_of_a_question():
    return answered_question()


@case
def two_questions_from_masks():
    questions = ["Who wrote the letters?", "What does the GPS in my phone stand for?"]
    return token_attribution(reader("question_types"), questions, "ABBR", baseline="mask")


@case
def the_tokens_of_an_english_review_from_zero():
    return token_attribution(reader("sentiment_en"), "The rooms were not clean.", 1, baseline="zero", steps=64)


@case
def the_words_of_an_english_review():
    return token_attribution(reader("sentiment_en"), "An unbelievably lovely hotel!", tolerance=0.2).merged()


@case
def the_characters_of_chinese_reviews():
    return token_attribution(reader("sentiment_zh"), [review.text for review in load_reviews("zh")[:3]])


@case
def the_characters_of_a_chinese_review_from_a_drawn_baseline():
    return token_attribution(reader("sentiment_zh"), load_reviews("zh")[1].text, "positive", baseline=drawn(64))


# --- baselines


@case
def plain_baselines():
    x, _ = digits()
    return torch.cat([zero(x), constant(x, 0.25), mean(x, training_digits()), median(x, training_digits())])


@case
def blurred_baselines():
    x, _ = digits()
    return torch.cat([blur(x, 1.5).flatten(), blur(patients()[0], 2.0).flatten()])


@case
def drawn_baselines():
    x, _ = digits()
    return torch.cat([sample(x, training_digits(), 4), uniform(x, 0.1, 0.8, seed=5)])


@case
def baselines_with_noise():
    x, _ = digits()
    return noise(x, stdev=0.2, seed=6)


@case
def a_neutral_baseline():
    """Of a smooth network: among the kinks of a ReLU network the search makes much of the least rounding."""
    reached = neutral(probability(drawn_mlp()), drawn(3, 6), gap=0.02)
    return torch.cat([reached.flatten(), opinion(probability(drawn_mlp()), reached)])


@case
def an_adversarial_baseline():
    x, y = digits()
    return adversarial(probability(digits_mlp()), x, y, near_zero=0.02)


# --- Captum's methods


@case
def captums_deep_lift():
    x, y = digits()
    return deep_lift(digits_cnn(), x, 0.2, y)


@case
def captums_lrp():
    return lrp(load_patients_mlp("cpu").double(), patients()[0])


@case
def captums_guided_backprop():
    x, y = digits()
    return guided_backprop(digits_cnn(), x, target=y)


@case
def captums_deconvolution():
    x, y = digits()
    return deconvolution(digits_cnn(), x, target=y)


@case
def captums_occlusion():
    x, y = digits()
    return occlusion(digits_mlp(), x, 0.1, y)


@case
def captums_shapley_sampling():
    return shapley_sampling(drawn_mlp(), drawn(3, 6), drawn(6, seed=1), torch.tensor([0, 2, 1]), samples=5, seed=1)


@case
def captums_gradient_shap():
    x, y = digits()
    return gradient_shap(digits_cnn(), x, 0.1, y, samples=6, seed=1)


# --- what is made of shares


@case
def controls_that_know_nothing():
    x, y = digits()
    return [random_gradients(digits_cnn(), x, 0.2, y, seed=1), random_numbers(digits_cnn(), x, target=y, seed=2)]


@case
def edges_that_know_nothing():
    x, y = digits()
    return edges(digits_cnn(), x, target=y)


@case
def curves_of_deletion_and_insertion():
    x, y = digits()
    values = gradient_times_input(digits_cnn(), x, target=y).values
    gone = deletion(probability(digits_cnn()), x, values, 0.1, y, steps=16)
    come = insertion(probability(digits_cnn()), x, values, 0.1, y, steps=16)
    return torch.cat([gone.values.flatten(), come.values.flatten(), gone.area, come.area])


@case
def curves_of_a_text():
    model, answer = reader("question_types"), answered_question()
    dropped = token_deletion(model, answer, reference="drop")
    come = token_insertion(model, answer, reference="mask")
    return torch.cat([dropped.values[0], come.values[0]])


@case
def agreement_with_maps_of_randomised_layers():
    x, y = digits()
    maps = randomised_maps(digits_cnn(), gradient_times_input, x, 0.1, y, seed=1)
    return torch.stack([agreement(maps["as trained"], others) for others in maps.values()])


@case
def maps_of_randomised_layers():
    x, y = digits()
    return torch.stack([*randomised_maps(digits_mlp(), gradient, x, target=y, seed=2).values()])


@case
def scores_against_a_mask():
    x, y, mask = scenes()
    values = gradient_times_input(scenes_cnn(), x, 0.5, y).values
    inside = relevance_mass(values, mask)
    return torch.cat([inside, pointing_game(values, mask), torch.tensor(interval(inside)).to(inside)])


# --- stored and compared


def found(name):
    """What is stored of a case: its shares and, where it has them, F(x) and F(x'); each as one row of numbers."""
    came = CASES[name]()
    answers = came if isinstance(came, list) else [came]
    shares = torch.cat([reduced(shares_of(answer)) for answer in answers])
    ends = [end for answer in answers for end in ends_of(answer)]
    return {f"{name}, shares": shares, **({f"{name}, F": torch.cat(ends).double()} if ends else {})}


def shares_of(answer):
    if isinstance(answer, TokenAttribution):
        return answer.scores
    return answer.values if isinstance(answer, Attribution) else answer


def ends_of(answer):
    evidence = answer.evidence if isinstance(answer, TokenAttribution) else answer
    if not isinstance(evidence, Attribution):
        return []
    return [evidence.f_input] if evidence.f_baseline is None else [evidence.f_input, evidence.f_baseline]


def reduced(values):
    """Up to 512 numbers as they are; of more the sums over 64 stretches, and 16 sums with signs drawn once for all."""
    values = values.detach().double().flatten()
    if len(values) <= MOST:
        return values
    signs = torch.randint(2, (16, len(values)), generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.cat([torch.stack([part.sum() for part in values.tensor_split(64)]), signs.double() @ values])


@pytest.mark.parametrize("name", CASES)
def test_the_shares_are_those_that_were_stored(name):
    stored, now = load_file(STORED), found(name)
    assert set(now) == {key for key in stored if key.partition(",")[0] == name}
    for key, numbers in now.items():
        assert numbers.shape == stored[key].shape, key
        away, largest = (numbers - stored[key]).abs().max().item(), stored[key].abs().max().item()
        assert away <= IN_FLOAT32.get(name, TOLERANCE) * largest, f"{key}: {away:.2g} away, of {largest:.2g}"


def test_nothing_is_stored_that_no_case_finds():
    assert {key.partition(",")[0] for key in load_file(STORED)} == set(CASES)


if __name__ == "__main__":
    save_file({key: numbers for name in CASES for key, numbers in found(name).items()}, STORED)
