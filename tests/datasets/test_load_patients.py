import torch
from sklearn import datasets

from igteach.datasets import load_patients


def test_a_fifth_of_the_patients_is_held_out_and_none_is_lost_or_doubled():
    patients = load_patients()
    assert len(patients.y_test) == 114  # 569 / 5, rounded up
    ours = torch.cat([patients.x_train, patients.x_test])
    theirs = torch.from_numpy(datasets.load_breast_cancer().data).float()
    assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))


def test_1_is_malignant():
    bunch = datasets.load_breast_cancer()
    name = {
        tuple(x): bunch.target_names[t] for x, t in zip(bunch.data.astype("f4").tolist(), bunch.target, strict=True)
    }
    patients = load_patients()
    found = [name[tuple(x)] == "malignant" for x in patients.x_test.tolist()]
    assert found == patients.y_test.bool().tolist()
    assert patients.y_test.dtype == torch.int64


def test_every_measurement_has_its_name_and_its_own_unit():
    patients = load_patients()
    assert len(patients.names) == patients.x_train.shape[1] == 30
    assert patients.x_train.dtype == torch.float32
    radius, area = (patients.x_train[:, patients.names.index(name)] for name in ("mean radius", "mean area"))
    assert torch.corrcoef(torch.stack([radius**2, area]))[0, 1] > 0.98  # a disc's area goes with its radius squared


def test_both_parts_hold_the_same_share_of_malignant():
    patients = load_patients()
    assert abs(patients.y_train.double().mean() - patients.y_test.double().mean()) < 0.01


def test_the_split_is_the_one_the_weights_were_trained_on():
    assert load_patients().y_test[:10].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
