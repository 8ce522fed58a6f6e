"""Learning: data, curves, and what is refused."""

import io
import sys

import numpy as np
import pytest

from circuits import Circuit
from circuits.errors import MachineError
from fitness.learning.curve import Curve, Learned, from_text
from fitness.learning.data import SETS, Data
from fitness.learning.essential import essential
from fitness.learning.settings import settings
from fitness.learning.streams import GRACE, UNASKED, flip_flop, match, order, parity, route
from tests.evo.tiny import one_line_of
from tests.fitness.learning.tiny import candidates, judge


@pytest.mark.parametrize("name", SETS)
def test_every_data_set_that_ships_gives_trials_to_learn_from_and_others_to_judge_by(name):
    small = {"classes": 2, "channels": 4} if name == "randman" else {}
    data = Data(name, small, examples=12, judged=8, seed=1)
    train, judged = data.sets("validation")
    assert (len(train.x), len(judged.x)) == (12, 8)
    assert train.x.shape[1:] == judged.x.shape[1:]
    assert train.targets.max() < train.classes == judged.classes
    again = Data(name, small, examples=12, judged=8, seed=1).sets("validation")
    assert np.array_equal(again.train.x, train.x)
    assert not np.array_equal(data.sets("held_out").train.x[:8], judged.x)


def test_a_flip_flop_asks_for_what_the_last_pulse_said():
    x, targets = flip_flop(np.random.default_rng(0), 20, bits=1, fibres=30, steps=300)
    fired = x.reshape(20, 300, 2, 30).mean(3) > 0.1
    for trial in range(20):
        for step in np.flatnonzero(targets[trial, :, 0] != UNASKED):
            last = max(np.flatnonzero(fired[trial, :step, bit]).max(initial=-1) * 2 + bit for bit in range(2))
            assert targets[trial, step, 0] == last % 2


@pytest.mark.parametrize("make", [match, parity])
def test_both_answers_are_asked_equally_often_and_at_the_end(make):
    _, targets = make(np.random.default_rng(0), 40)
    asked = targets[targets != UNASKED]
    assert 0.4 <= asked.mean() <= 0.6
    assert (targets[:, :GRACE] == UNASKED).all()


def test_an_order_is_that_of_the_pulses_and_each_is_asked_equally_often():
    x, targets = order(np.random.default_rng(0), 24, items=3, fibres=30)
    firsts = (x.reshape(24, -1, 3, 30).mean(3) > 0.1).argmax(axis=1)
    orders = [tuple(np.argsort(one)) for one in firsts]
    named = targets.max(axis=(1, 2))
    assert sorted(named.tolist()) == [k for k in range(6) for _ in range(4)]
    assert len({(int(k), one) for k, one in zip(named, orders, strict=True)}) == 6


def test_a_route_is_what_the_cued_stream_does():
    x, targets = route(np.random.default_rng(0), 8, streams=3, fibres=200, steps=300)
    fires = x.reshape(8, 300, 6, 200).mean(3) > 0.1
    cue = fires[:, :, 3:].argmax(axis=2)
    assert (fires[:, :, 3:].sum(axis=2) == 1).all()
    cued = np.take_along_axis(fires[:, :, :3], cue[:, :, None], axis=2)[:, :, 0]
    asked = targets[:, :, 0] != UNASKED
    assert (cued[asked] == (targets[:, :, 0][asked] == 1)).all()
    assert 0.3 < asked.mean() < 0.9


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (3, "must return (x, targets)"),
        ((np.zeros((4, 5)), np.zeros(4, int)), "x must be spikes or reals [trials, steps, channels]"),
        ((np.zeros((4, 5, 2)), np.zeros(3, int)), "targets must be whole numbers"),
        ((np.zeros((4, 5, 2)), np.zeros(4)), "targets must be whole numbers"),
        ((np.full((4, 5, 2), np.nan), np.zeros(4, int)), "x must be finite and not negative"),
        ((np.zeros((4, 5, 2)), np.full(4, -2)), "targets are classes from 0"),
    ],
)
def test_what_a_function_of_the_users_own_gives_is_checked(found, said):
    data = Data("mine.py:trials", {}, 4, 4, 1, function=lambda count, seed: found)
    assert said in one_line_of(lambda: data.sets("search"))


def test_settings_of_data_that_are_unknown_are_named():
    assert "unknown key 'bit'; known are bits" in one_line_of(lambda: Data("flip-flop", {"bit": 2}, 4, 4, 1))
    assert "there is no data set 'flipflop'" in one_line_of(lambda: settings({"name": "learning", "data": "flipflop"}))
    assert "task learning: step" in one_line_of(lambda: settings({"name": "learning", "step": 3}))


def test_a_file_is_learned_from_and_judged_on_items_apart():
    rows = ["item,label,channel,time_ms"]
    rows += [f"{k},{'ab'[k % 2]},{k % 2},{5 + k}" for k in range(60)]
    data = Data("cell.csv", {"tail_ms": 5.0}, 100, 100, 1, content="\n".join(rows).encode())
    train, judged = data.sets("search")
    held_out = data.sets("held_out").judged
    kinds = [{trial.tobytes() for trial in one.x} for one in (train, judged, held_out)]
    assert len(train.x) + len(judged.x) + len(held_out.x) < 60  # others are for validation
    assert sum(map(len, kinds)) == len(set.union(*kinds))
    assert train.classes == 2


def test_in_a_file_with_speakers_circuits_are_judged_on_speakers_that_their_networks_did_not_hear():
    content, speakers = io.BytesIO(), np.arange(40) % 4
    spikes = np.zeros((40, 50, 41), bool)
    spikes[np.arange(40), 5, np.arange(40)] = True  # tells the items apart
    np.savez(
        content,
        spikes=spikes,
        labels=np.arange(40) // 4 % 2,
        dt_ms=1.0,
        groups=speakers,
        parts=np.where(speakers == 3, "test", "train"),
    )
    data = Data("digits.npz", {"validation_share": 0.34}, 100, 100, 1, content=content.getvalue())

    def heard(trials):
        return set(speakers[trials.x.any(1).argmax(1)].tolist())

    train, judged = zip(*(map(heard, data.sets("search", number)) for number in range(4)), strict=True)
    assert all(a and b and not a & b for a, b in zip(train, judged, strict=True))
    assert len(set.union(*judged)) == 2
    assert heard(data.sets("held_out").judged) == {3}


def test_what_no_input_reaches_and_what_reaches_no_excitatory_neuron_is_left_out():
    neurons = [{"id": name, "sign": name[0]} for name in ("E0", "E1", "I0", "I1")]
    weight = {"weight_mv": 5.0, "delay_ms": 1.0}
    found = essential(
        Circuit(
            dt_ms=1.0,
            neurons=neurons,
            inputs=[{"name": "a", "synapses": [{"post": "E0"} | weight]}, {"name": "b", "synapses": [{"post": "I1"} | weight]}],
            synapses=[
                {"pre": "E0", "post": "I0"} | weight,
                {"pre": "I0", "post": "E0"} | weight,
                {"pre": "E1", "post": "E0"} | weight,
            ],
            outputs=[{"name": "out", "neurons": ["E1"]}],
        )
    )
    assert [n.id for n in found.neurons] == ["E0", "I0"]
    assert [c.name for c in found.inputs] == ["a"]
    assert found.outputs[0].neurons == ["E0"] or list(found.outputs[0].neurons) == ["E0"]


def test_the_area_under_a_curve_counts_what_was_reached_early():
    def learned(accuracy, share=1.0):
        steps = [0, 50, 100][: len(accuracy)]
        curve = Curve(steps=steps, accuracy=accuracy, spikes=[1.0] * len(accuracy), lost=0)
        return Learned(curve, np.array([1.0]), 1.0, 1.0, 2, share)

    assert learned([0.5, 1.0, 1.0]).area == pytest.approx(0.875)
    assert learned([0.5, 0.5, 1.0]).area == pytest.approx(0.625)
    assert learned([0.5, 1.0], share=0.5).area == pytest.approx(0.875)  # of half a training, the rest as its end
    assert learned([0.5, 0.75]).unit(0.75) == pytest.approx(0.5)


def test_curves_that_were_altered_are_refused():
    good = '{"search":{"steps":[0],"accuracy":[0.5],"spikes":[1.0],"lost":0},"held_out":[],"chance":0.5}'
    assert from_text(good, "run.db")["chance"] == 0.5
    for bad in (good.replace("[0.5]", "[0.5,1.0]"), good.replace('"lost":0', '"lost":"x"'), good[:-1]):
        assert "run.db: is damaged" in one_line_of(lambda bad=bad: from_text(bad, "run.db"))


def test_without_pytorch_there_is_one_line(monkeypatch):
    for name in [name for name in sys.modules if name == "torch" or name.startswith(("circuits.torch", "torch."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install 'evocircuits[torch]'" in one_line_of(lambda: judge().check(candidates(2)), MachineError)
