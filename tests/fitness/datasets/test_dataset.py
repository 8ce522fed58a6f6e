"""The task dataset: labelled spikes from files, split so that what is held out stays apart."""

import io

import numpy as np
import pytest

from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness.base.task import PARTS
from fitness.checks.check import repeated
from fitness.datasets import read
from fitness.registry import OVER_FILES

h5py = pytest.importorskip("h5py")
ITEMS, CHANNELS, END = 60, 4, 40


def spikes(seed=0):
    """Class early or late: where most spikes are; speakers have ten items each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(ITEMS) % 2
    found = (
        rng.random((ITEMS, END, CHANNELS))
        < np.where((np.arange(END) < END // 2) == (labels[:, None] == 0), 0.2, 0.02)[..., None]
    )
    return found, labels, np.arange(ITEMS) // 10


def as_csv(part=None, group=True):
    found, labels, groups = spikes()
    lines = ["item,label,channel,time_ms" + (",group" if group else "") + (",part" if part else "")]
    for i, k, c in np.argwhere(found):
        more = [f"s{groups[i]}"] * group + ([part[i]] if part else [])
        lines.append(",".join([str(i), ("early", "late")[labels[i]], str(c), str(k + 1), *more]))
    return "\n".join(lines).encode()


def as_npz(**arrays):
    found, labels, groups = spikes()
    file = io.BytesIO()
    np.savez(file, **{"spikes": found, "labels": labels, "groups": groups, "dt_ms": 1.0, **arrays})
    return file.getvalue()


def as_heidelberg():
    found, labels, groups = spikes()
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5["labels"] = labels
        for name, kind in (("times", "f4"), ("units", "i4")):
            column = h5.create_dataset(f"spikes/{name}", ITEMS, h5py.vlen_dtype(kind))
            for i in range(ITEMS):
                step, channel = np.nonzero(found[i])
                column[i] = (step + 1) / 1000 if name == "times" else channel
        h5["extra/speaker"] = groups
        h5["extra/keys"] = [b"early", b"late"]
    return file.getvalue()


def made(file="digits.npz", content=None, **settings):
    return OVER_FILES["dataset"](file=file, **settings).over(as_npz() if content is None else content)


@pytest.mark.parametrize(
    ("file", "content"), [("a.csv", as_csv), ("a.npz", as_npz), ("a.h5", as_heidelberg)], ids=["csv", "npz", "heidelberg"]
)
def test_files_of_all_kinds_hold_the_same_items(file, content):
    found, labels, _ = spikes()
    task = made(file, content(), tail_ms=10)
    data = task.data()
    np.testing.assert_array_equal(data.spikes[:, :END], found)
    np.testing.assert_array_equal(data.labels, labels)
    assert task.duration_ms == END + 10
    assert len(task.inputs) == CHANNELS
    assert task.outputs == (("0", "1") if file == "a.npz" else ("early", "late"))
    assert len(set(np.asarray(data.groups).tolist())) == 6


def test_whole_groups_are_held_out_whatever_the_seed():
    task = made()
    drawn = {part: task.trials_of(part, 1, 64) for part in PARTS}
    held_out = set(drawn["held_out"].facts["group"])
    for part in ("search", "validation", "core"):
        assert not set(drawn[part].facts["group"]) & held_out
    assert set(task.trials_of("held_out", 2, 64).facts["group"]) == held_out
    assert repeated(task, 1, 40, 10) is None


def test_the_parts_of_a_file_are_kept_and_validation_is_taken_from_the_training_set():
    part = ["test" if i >= 40 else "train" for i in range(ITEMS)]
    task = made("a.csv", as_csv(part))
    assert task.items("held_out").tolist() == list(range(40, 60))
    assert set(task.items("search")) | set(task.items("validation")) == set(range(40))
    assert len({i // 10 for i in task.items("validation")} & {i // 10 for i in task.items("search")}) == 0
    mixed = ["test" if i % 10 == 0 else "train" for i in range(ITEMS)]
    with pytest.raises(UserError, match="held_out has no item of class late"):
        made("a.csv", as_csv(mixed)).items("search")
    mixed = ["test" if i % 10 < 2 else "train" for i in range(ITEMS)]
    with pytest.raises(UserError, match="group s0 is held out and in another part too"):
        made("a.csv", as_csv(mixed)).items("search")


def test_the_output_that_spikes_most_names_the_class_and_silence_none():
    task = made()
    trials = task.trials_of("search", 1, 20)
    answer = np.zeros((3, 20, task.steps, 2), bool)
    answer[0, np.arange(20), 3, trials.labels] = True
    answer[1, :, 3, 0] = True
    raster = Raster(np.stack([pack(a) for a in answer]), 20, task.dt_ms, task.outputs)
    score = task.score(raster, trials)
    np.testing.assert_allclose(score.value, [1, 0, 0])
    assert score.case_scores[0].mean() > score.case_scores[2].mean() > 0.4
    named = made("digits.csv", as_csv())
    trials = named.trials_of("search", 1, 20)
    assert set(zip(named.conditions(trials)["class"], trials.labels, strict=True)) == {("early", 0), ("late", 1)}


def test_classes_channels_and_items_can_be_fewer():
    task = made("a.h5", as_heidelberg(), classes=("late", "early"), merge=2, items_each=10, until_ms=20, step_ms=2)
    assert task.outputs == ("early", "late")
    assert len(task.inputs) == 2
    assert np.bincount(task.data().labels).tolist() == [10, 10]
    assert task.steps == 35


@pytest.mark.parametrize(
    ("file", "content", "settings", "said"),
    [
        ("a.txt", b"", {}, "a.txt: .txt is no format of data sets; known are .csv, .npz, .h5, .hdf5"),
        ("a.csv", b"", {}, "a.csv: is empty"),
        (
            "a.csv",
            b"item,label,time_ms\n1,a,2\n",
            {},
            "lacks channel of item, label, channel, time_ms; found item, label, time_ms",
        ),
        ("a.csv", b"item,label,channel,time_ms\n1,a,0,x\n", {}, "time_ms must hold numbers"),
        ("a.csv", b"item,label,channel,time_ms\n1,a,0,1\n1,b,0,2\n", {}, "item 1 has more than one label"),
        ("a.csv", b"item,label,channel,time_ms\n1,a,0,1\n", {}, "has 1 classes; there must be two at least"),
        (
            "a.csv",
            b"item,label,channel,time_ms,part\n1,a,0,1,x\n2,b,0,1,x\n",
            {},
            "part must be one of train, search, validation",
        ),
        ("a.csv", b"item,label,channel,time_ms\n1,a,0,-1\n2,b,0,1\n", {}, "item 0: -1.0 ms is no spike time"),
        ("a.npz", as_npz(labels=np.zeros(3)), {}, "spikes must be bool [items, steps, channels] and labels [items]"),
        ("a.npz", b"nothing", {}, "a.npz: is no NPZ file"),
        ("a.h5", b"nothing", {}, "a.h5: is no HDF5 file of the Heidelberg layout"),
        ("a.npz", as_npz(), {"classes": ("2", "1")}, "classes: has no class '2'; found 0, 1"),
        ("a.npz", as_npz(), {"step_ms": 1e-5}, "too many; set items_each, until_ms, merge or a longer step_ms"),
    ],
)
def test_a_wrong_file_is_one_line(file, content, settings, said):
    with pytest.raises(UserError) as caught:
        made(file, content, **settings).data()
    assert said in str(caught.value)


def test_an_hdf5_that_lacks_something_says_what_it_found():
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5["labels"] = [0, 1]
    with pytest.raises(UserError, match="lacks spikes/times and spikes/units of the Heidelberg layout; found labels"):
        read("a.h5", file.getvalue())
