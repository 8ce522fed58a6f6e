"""Data to train on: what they look like, what they tell and what they do not."""

import sys

import numpy as np
import pytest

from circuits import data
from circuits.data.yin_yang import DOTS, YANG, YIN, part
from circuits.errors import MachineError, UserError

MAKERS = {
    "itd": (lambda seed: data.itd(60, 30, seed, fibres=10, classes=4), 100, 20, 4),
    "randman": (lambda seed: data.randman(60, 30, seed, classes=3, channels=6, steps=40), 40, 6, 3),
    "yin_yang": (lambda seed: data.yin_yang(60, 30, seed), 100, 5, 3),
    "digits": (lambda seed: data.digits(450, seed), 60, 64, 10),
}


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_a_seed_makes_the_same_data_again_and_splits_that_differ(name):
    make, steps, channels, classes = MAKERS[name]
    first, again, other = make(3), make(3), make(4)
    for split in first:
        assert split.spikes.shape == (len(split.targets), steps, channels)
        assert split.spikes.dtype == bool
        assert split.targets.dtype == np.int64
        assert set(split.targets.tolist()) == set(range(classes))
    for mine, same, different in zip(first, again, other, strict=True):
        assert np.array_equal(mine.spikes, same.spikes)
        assert np.array_equal(mine.targets, same.targets)
        assert not np.array_equal(mine.spikes, different.spikes)


@pytest.mark.parametrize("name", ["itd", "randman"])
def test_no_trial_is_in_both_splits(name):
    train, test = MAKERS[name][0](0)
    assert not {s.tobytes() for s in train.spikes} & {s.tobytes() for s in test.spikes}


def test_every_image_is_in_one_split():
    train, test = data.digits(450, 1)
    assert (len(train.targets), len(test.targets)) == (1347, 450)
    one, other = data.digits(450, 1, last=40), data.digits(450, 2, last=40)
    together = [np.bincount(np.concatenate([d.train.targets, d.test.targets])).tolist() for d in (one, other)]
    assert together[0] == together[1]


def test_an_image_fires_once_where_there_is_ink_and_sooner_where_there_is_more():
    spikes = data.digits(450, 0).train.spikes
    assert spikes.sum(1).max() == 1
    assert 0.3 < spikes.any(1).mean() < 0.7
    assert not spikes[:, 51:].any()


def test_the_direction_is_in_the_phase_between_the_ears_and_not_in_their_counts():
    spikes, lag = data.itd(400, 1, 0, fibres=50, frequency_hz=20.0).train
    ears = spikes.reshape(400, 100, 2, 50).sum(3)
    clock = np.exp(-2j * np.pi * 20 * np.arange(100) / 1000)
    left, right = (ears * clock[:, None]).sum(1).T
    assert np.abs(np.angle(left / right) - lag).max() < 0.3
    assert np.corrcoef(ears.sum((1, 2)), lag)[0, 1] == pytest.approx(0, abs=0.15)
    assert spikes.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("lag", [0.0, np.pi / 2])
def test_fibres_of_an_ear_lag_one_after_the_other_as_far_as_asked(lag):
    train = data.itd(300, 1, 0, fibres=40, fibre_lag=lag).train
    clock = np.exp(-2j * np.pi * 20 * np.arange(100) / 1000)
    first, last = ((train.spikes[..., part] * clock[:, None]).sum((1, 2)) for part in (slice(0, 4), slice(36, 40)))
    apart = 36 / 39 * lag
    assert np.angle((first / last).mean()) == pytest.approx(apart, abs=0.1)
    ears = train.spikes.reshape(300, 100, 2, 40).sum(3)
    left, right = (ears * clock[:, None]).sum(1).T
    assert np.abs(np.angle(left / right) - train.targets).max() < 0.4


@pytest.mark.slow
def test_who_knows_all_about_the_ears_is_right_in_94_of_100_trials():
    """The most that any network can reach on twelve directions: the class of the largest posterior probability."""
    spikes, label = data.itd(1000, 1, 0, classes=12).train
    phases = np.linspace(0, 2 * np.pi, 480, endpoint=False)
    when = 2 * np.pi * 20 * np.arange(100)[:, None] / 1000 - np.linspace(0, np.pi / 2, 100)
    chance = np.clip(0.3 * (1 + np.sin(when + phases[:, None, None])), 1e-4, 1 - 1e-4).reshape(480, -1)

    def likelihood(ear):  # [trials, phases], of one ear
        fired = ear.reshape(len(ear), -1).astype("f4")
        found = fired @ np.log(chance / (1 - chance)).T.astype("f4") + np.log(1 - chance).sum(1)
        return np.exp(found - found.max(1, keepdims=True))

    left, right = (np.fft.rfft(likelihood(ear)) for ear in np.split(spikes, 2, axis=2))
    posterior = np.fft.irfft(left * right.conj())  # of the left ear leading by each of the phases
    direction = np.floor(((phases + np.pi) % (2 * np.pi) / np.pi - 0.5) * 12)
    classes = np.stack([posterior[:, direction == k].sum(1) for k in range(12)], 1)
    assert (classes.argmax(1) == label).mean() == pytest.approx(0.94, abs=0.02)


@pytest.mark.long
def test_directions_as_classes_are_equal_parts_of_the_range():
    lag, label = data.itd(500, 1, 5).train.targets, data.itd(500, 1, 5, classes=6).train.targets
    assert np.array_equal(label, np.floor((lag / np.pi + 0.5) * 6).astype(int))


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [1, *(pytest.param(d, marks=pytest.mark.slow) for d in (2, 3))])
def test_counts_say_nothing_about_a_manifold(dimensions):
    train, test = data.randman(100, 50, 0, dimensions=dimensions)
    for split in (train, test):
        assert (split.spikes.sum(1) == 1).all()
        assert len(set(np.bincount(split.targets).tolist())) == 1


@pytest.mark.long
def test_both_splits_lie_on_the_same_manifolds_and_another_seed_has_others():
    train, test = data.randman(500, 100, 0, dimensions=1, classes=4, channels=12, steps=50)
    other = data.randman(10, 100, 1, dimensions=1, classes=4, channels=12, steps=50).test

    def hits(split):  # the class of the nearest training trial
        when, known = split.spikes.argmax(1).astype("i2")[:, None], train.spikes.argmax(1).astype("i2")[None]
        return np.mean(train.targets[np.abs(when - known).sum(2).argmin(1)] == split.targets)

    assert hits(test) > 0.95
    assert hits(other) < 0.6


@pytest.mark.long
def test_manifolds_can_be_kept_while_points_change():
    one, other = (data.randman(500, 10, seed, manifolds=9, dimensions=1, classes=2) for seed in (0, 1))
    last = [split.train.spikes.argmax(1).astype("i2")[split.train.targets == 0] for split in (one, other)]
    assert not np.array_equal(last[0], last[1])
    distance = np.abs(last[0][:50, None] - last[1][None]).sum(2).min(1) / 20
    assert distance.max() < 3  # steps, of 100


def test_the_parts_of_the_sign():
    points = np.array([[0.25, 0.5], [0.75, 0.5], [0.5, 0.95], [0.5, 0.05], [0.1, 0.55], [0.9, 0.45], [0.02, 0.02]])
    assert part(points).tolist()[:2] == [DOTS, DOTS]
    assert part(points).tolist()[-1] == -1
    everywhere = np.random.default_rng(0).random((20_000, 2))
    turned = part(1 - everywhere)
    found = part(everywhere)
    assert np.array_equal(np.select([found == YIN, found == YANG], [YANG, YIN], found), turned)  # half a turn swaps them


def test_latency_tells_the_point():
    spikes, label = data.yin_yang(300, 1, 0).train
    when = spikes.argmax(1)
    assert (spikes.sum(1) == 1).all()
    assert np.abs(when[:, 0] + when[:, 2] - 90).max() <= 1
    assert (when[:, 4] == 5).all()
    assert np.bincount(label).tolist() == [100, 100, 100]
    assert (part((when[:, :2] - 5) / 80) == label).mean() > 0.95


def written(path, times, units, labels):
    import h5py

    with h5py.File(path, "w") as file:
        file["labels"] = np.asarray(labels, "u2")
        for name, rows, kind in (("times", times, "f2"), ("units", units, "u2")):
            made = file.create_dataset(f"spikes/{name}", len(rows), h5py.vlen_dtype(np.dtype(kind)))
            for k, row in enumerate(rows):
                made[k] = np.asarray(row, kind)
    return path


def test_spoken_digits_come_from_a_file_of_their_form(tmp_path):
    path = written(tmp_path / "shd.h5", [[0.0, 0.105, 0.5, 3.0], [0.25], []], [[3, 699, 10, 5], [350], []], [4, 19, 0])
    spikes, labels = data.heidelberg(path)
    assert spikes.shape == (3, 100, 700)
    assert np.argwhere(spikes).tolist() == [[0, 0, 3], [0, 10, 699], [0, 50, 10], [1, 25, 350]]
    assert labels.tolist() == [4, 19, 0]
    merged = data.heidelberg(path, steps=20, dt_ms=5.0, merge=10, max_trials=1)
    assert np.argwhere(merged.spikes).tolist() == [[0, 0, 0]]


def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such file"):
        data.heidelberg(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("spikes")
    with pytest.raises(UserError, match="is no file of Heidelberg digits"):
        data.heidelberg(tmp_path / "text.h5")
    path = written(tmp_path / "odd.h5", [[0.1]], [[700]], [0])
    with pytest.raises(UserError, match="trial 0"):
        data.heidelberg(path)
    with pytest.raises(UserError, match="merge: must divide 700"):
        data.heidelberg(path, merge=3)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MachineError, match="pip install"):
        data.heidelberg(path)


def test_other_requests_that_cannot_be_met_name_the_setting(monkeypatch):
    with pytest.raises(UserError, match="train: a number of trials"):
        data.itd(0, 1)
    with pytest.raises(UserError, match="dimensions"):
        data.randman(dimensions=0)
    with pytest.raises(UserError, match="test: from 1 to 1796"):
        data.digits(2000)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MachineError, match="pip install"):
        data.digits()
