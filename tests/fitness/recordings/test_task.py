"""The task recording: windows, parts, and scores that mean what they say."""

from dataclasses import replace

import numpy as np
import pytest

import fitness
from circuits.errors import UserError
from circuits.simulation.packed import from_circuit
from circuits.simulation.raster import Raster, pack, unpack
from fitness import spike_trains
from fitness.base.task import PARTS
from fitness.checks.check import repeated
from fitness.evaluation.evaluate import evaluate
from fitness.recordings import measures
from fitness.recordings.likeness import MET, XX, XY, N, readings
from tests.bench.hidden import hidden, to_csv
from tests.fitness.recordings.files import as_csv, content

HEAD = "# duration_ms = {}\ntrial,role,name,time_ms\n"


def long_text(seconds=4.0, repeats=1, jitter_ms=0.0, seed=0, outputs=1) -> bytes:
    """One long stretch, or repeats of it: outputs follow the input after 3 ms, jittered."""
    rng = np.random.default_rng(seed)
    end = 1000 * seconds
    given = np.sort(rng.uniform(5, end - 20, int(20 * seconds)))
    lines = [HEAD.format(end)]
    for r in range(repeats):
        lines += [f"{r},input,a,{t:.4f}\n" for t in given]
        for n in range(outputs):
            lines += [f"{r},output,n{n},{t + 3 + rng.normal(0, jitter_ms):.4f}\n" for t in given[n % 2 :: 2]]
    return "".join(lines).encode()


def made(text, **settings):
    from fitness.registry import OVER_FILES

    return OVER_FILES["recording"](**{"file": "cell.csv", **settings}).over(text)


def measured(task, trials, repeat=0):
    """The measured spikes of a repeat, as a raster."""
    w = task.prepared.windows
    spikes = np.zeros((len(trials), task.steps, len(task.outputs)), bool)
    for k, i in enumerate(trials.facts["item"]):
        for n in range(len(task.outputs)):
            train = (w.measured.repeat[i] + repeat) * len(task.outputs) + n
            spikes[k, w.measured.step[w.measured.first[train] : w.measured.first[train + 1]], n] = True
    return spikes


def raster(task, spikes):
    return Raster(pack(spikes), len(spikes), task.dt_ms, task.outputs)


@pytest.mark.parametrize("scored_by", measures.MEASURES)
def test_what_was_measured_scores_1_and_silence_0(scored_by):
    task = made(long_text(outputs=2), scored_by=scored_by, window_ms=200)
    for part in PARTS:
        trials = task.trials_of(part, 1, 12)
        score = task.score(raster(task, measured(task, trials)), trials)
        assert score.value == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(score.case_scores, 1, atol=1e-6)
        nothing = task.score(raster(task, np.zeros_like(trials.spikes[..., [0, 0]])), trials)
        assert nothing.value == 0
        assert nothing.case_scores.max() < 1


def test_parts_are_stretches_of_time_that_share_no_scored_moment():
    task = made(long_text(), window_ms=300)
    w, part = task.prepared.windows, task.prepared.part
    moments = [
        {
            (o + k)
            for o, a, b in zip(w.origin[part == p], w.start[part == p], w.stop[part == p], strict=True)
            for k in range(a, b)
        }
        for p in range(3)
    ]
    assert [len(m) for m in moments] == [4800, 1600, 1600]
    assert max(moments[0]) < min(moments[1])
    assert max(moments[1]) < min(moments[2])
    assert sum(map(len, moments)) == 8000  # every step once
    assert repeated(task, 1, 12, 4) is None
    trials = task.trials_of("held_out", 1, 4)
    assert set(trials.facts["item"]) <= set(np.flatnonzero(part == 2))


def test_a_window_begins_with_the_stimulus_before_it_of_which_nothing_is_scored():
    task = made(long_text(), window_ms=300, lead_in_ms=50)
    w = task.prepared.windows
    whole = np.zeros(8000, bool)
    for i in np.flatnonzero(w.origin == 0):
        whole[: w.stop[i]] |= w.spikes[i, : w.stop[i], 0]
    later = np.flatnonzero(w.origin > 0)
    assert (w.start[later] == 100).all()
    trials = task.trials_of("search", 1, 6)
    early = np.zeros((len(trials), task.steps, 1), bool)
    for k, i in enumerate(trials.facts["item"]):
        early[k, : w.start[i], 0] = True
    clean = measured(task, trials)
    assert task.score(raster(task, clean | early), trials).value == task.score(raster(task, clean), trials).value


def test_trials_with_the_same_stimulus_are_repeats_and_their_spread_is_the_ceiling():
    alike, noisy = made(long_text(repeats=3)), made(long_text(repeats=3, jitter_ms=1.5))
    for task in (alike, noisy):
        assert (task.prepared.windows.repeats == 3).all()
        assert task.prepared.repeats
    assert alike.prepared.high[0] == pytest.approx(1)
    assert 0.3 < noisy.prepared.high[0] < 0.95
    assert not made(long_text()).prepared.repeats
    trials = noisy.trials_of("search", 1, 8)
    one = noisy.score(raster(noisy, measured(noisy, trials, 1)), trials)
    assert one.value > 0.9  # it also meets itself


@pytest.mark.long
@pytest.mark.parametrize("scored_by", measures.MEASURES)
def test_the_ceiling_is_what_one_repeat_says_of_the_others(scored_by):
    """Computed again, pair by pair, by `spike_trains`."""
    task = made(long_text(seconds=2, repeats=3, jitter_ms=1.0, seed=3), scored_by=scored_by, window_ms=2000)
    trials = task.trials_of("search", 1, 1)
    repeats = [measured(task, trials, r)[0, :, 0] for r in range(3)]
    end = task.prepared.windows.stop[trials.facts["item"][0]] * task.dt_ms
    times = [(np.flatnonzero(r) + 1) * task.dt_ms for r in repeats]
    found = []
    for r in range(3):
        others = [s for s in range(3) if s != r]
        if scored_by == "coincidence":
            pairs = [spike_trains.SpikeTrains.of([t], end) for t in (times[s] for s in others)]
            mine = spike_trains.SpikeTrains.of([times[r]], end)
            found += [spike_trains.coincidence_factor(p, mine, task.precision_ms)[0] for p in pairs]
            continue
        kernel = np.exp(
            -abs(np.subtract.outer(np.arange(len(repeats[0])), np.arange(len(repeats[0])))) * 0.5 / task.precision_ms
        )
        y, x = np.mean([repeats[s] for s in others], axis=0), repeats[r].astype(float)
        xx, yy, xy = x @ kernel @ x, y @ kernel @ y, x @ kernel @ y
        if scored_by == "van_rossum":
            found.append(1 - (xx + yy - 2 * xy) / yy)
        else:
            c = 2 * task.precision_ms / end
            found.append((xy - c * x.sum() * y.sum()) / np.sqrt((xx - c * x.sum() ** 2) * (yy - c * y.sum() ** 2)))
    assert task.prepared.high[0] == pytest.approx(np.mean(found), abs=0.02)


def test_readings_are_those_of_spike_trains():
    """The coincidences and van Rossum's distance of random rasters, computed one by one."""
    task = made(long_text(repeats=1, seed=5), window_ms=200, precision_ms=3.0)
    trials = task.trials_of("search", 2, 8)
    w = task.prepared.windows
    rng = np.random.default_rng(1)
    spikes = rng.random((3, len(trials), task.steps, 1)) < 0.03
    for k, i in enumerate(trials.facts["item"]):
        spikes[:, k, : w.start[i]] = spikes[:, k, w.stop[i] :] = False
    read = readings(np.stack([pack(s) for s in spikes]), trials.facts["item"], task.prepared.target)[:, :, 0]
    end = task.steps * task.dt_ms
    target = spike_trains.SpikeTrains.of([(np.flatnonzero(m[:, 0]) + 1) * 0.5 for m in measured(task, trials)], end)
    own = task.prepared.target.own[trials.facts["item"], 0, 0]
    for c in range(3):
        mine = spike_trains.SpikeTrains.of([(np.flatnonzero(s[:, 0]) + 1) * 0.5 for s in spikes[c]], end)
        share = 2 * 3.0 * mine.counts / end
        n = 0.5 * (mine.counts + target.counts)
        factor = (read[c, :, MET] - share * target.counts) / n / (1 - share)
        np.testing.assert_allclose(factor, spike_trains.coincidence_factor(target, mine, 3.0), rtol=1e-6)
        np.testing.assert_array_equal(read[c, :, N], mine.counts)
        squared = read[c, :, XX] + own - 2 * read[c, :, XY]
        np.testing.assert_allclose(np.sqrt(squared), spike_trains.van_rossum(target, mine, 3.0), rtol=1e-5)


def test_a_constant_rate_scores_0_at_best():
    task = made(long_text())
    trials = task.trials_of("search", 1, 8)
    w, best = task.prepared.windows, 0.0
    item = trials.facts["item"]
    at = w.origin[item][:, None] + np.arange(task.steps)
    for period in (50, 100, 150, 200, 240):
        spikes = (at % period == 0)[..., None]
        best = max(best, float(task.score(raster(task, spikes), trials).value))
    assert best < 0.1


def test_ten_stimuli_are_split_as_wholes_and_named_trials_are_held_out():
    task = made(as_csv(content(14)), held_out_trials=("3",))
    w, part = task.prepared.windows, task.prepared.part
    assert all(len(set(part[w.stimulus == s])) == 1 for s in range(14))
    named = next(s for s, names in enumerate(w.trials) if "3" in names)
    assert set(part[w.stimulus == named]) == {2}
    trials = task.trials_of("held_out", 1, 8)
    assert set(task.conditions(trials)["held out"]) == {"trial", "time"}


def test_times_go_to_the_nearest_step_and_merged_spikes_are_counted():
    text = HEAD.format(4000) + "".join(f"0,input,a,{t}\n0,output,n,{t + 5.26}\n" for t in range(10, 3900, 60))
    text += "0,input,a,10.1\n"
    task = made(text.encode())
    assert task.prepared.windows.merged == 1
    trials = task.trials_of("search", 1, 1)
    begin = task.prepared.windows.origin[trials.facts["item"][0]]
    times = (np.flatnonzero(measured(task, trials)[0, :, 0]) + begin + 1) * 0.5
    assert set(times % 60) == {15.5}  # 15.26 ms


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        (HEAD.format(100) + "0,output,x,5\n", {}, "has no input spikes; input_names says which of its trains are inputs"),
        (as_csv(), {"held_out_trials": ("9",)}, "held_out_trials: has no trial '9'; found 0, 1, 2"),
        (as_csv(), {"input_names": ("z",)}, "has no train 'z'"),
        (HEAD.format(1000) + "0,input,a,5\n0,output,x,7\n", {}, "output x has no spike in the validation part"),
        (as_csv(), {"precision": 3}, "precision: unknown key; did you mean precision_ms?"),
    ],
)
def test_a_recording_that_says_too_little_is_one_line(text, settings, said):
    text = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(UserError) as caught:
        made(text, **settings).prepared  # noqa: B018
    assert said in str(caught.value)


def test_a_neuron_whose_repeats_do_not_agree_is_refused_by_name():
    rng = np.random.default_rng(0)
    lines = [HEAD.format(4000)]
    for r in range(3):
        lines += [f"{r},input,a,{t}\n" for t in range(10, 3990, 40)]
        lines += [f"{r},output,x,{t:.3f}\n" for t in np.sort(rng.uniform(0, 4000, 60))]
    with pytest.raises(UserError, match="output x: nothing to explain: one repeat predicts the others with a coincidence of"):
        made("".join(lines).encode()).prepared  # noqa: B018


def test_the_task_is_found_by_its_name_beside_its_file(tmp_path):
    (tmp_path / "cell.csv").write_bytes(long_text())
    task = fitness.task("recording", file=str(tmp_path / "cell.csv"))
    assert task.interface.outputs == ("n0",)
    with pytest.raises(UserError, match="task recording: file: is missing"):
        fitness.task("recording")
    with pytest.raises(UserError, match=r"nothing\.csv: there is no such file"):
        fitness.task("recording", file="nothing.csv")


def test_with_teacher_forcing_case_scores_count_how_likely_the_measured_spikes_are_and_scores_do_not():
    task, plain = (made(long_text(outputs=2), window_ms=200, lead_in_ms=50, teacher_forcing=on) for on in (True, False))
    trials = task.trials_of("search", 1, 12)
    right, teacher = measured(task, trials), task.teacher(trials)
    np.testing.assert_array_equal(pack(right) & ~teacher.spikes, 0)  # the teacher says more: that of the lead-in too
    scored = unpack(teacher.scored[..., None], 12)[..., 0]
    assert (right.any(axis=-1) <= scored).all()
    assert scored.sum() == (task.prepared.windows.stop - task.prepared.windows.start)[trials.facts["item"]].sum()
    free = raster(task, np.roll(right, 3, axis=1))
    alone = plain.score(free, trials)
    chance = task.prepared.chance[trials.facts["item"]]
    for surprise, likely in ((np.zeros((12, 2)), 1.0), (chance, 0.5), (np.full((12, 2), np.inf), 0.0)):
        score = task.score(replace(free, surprise=surprise), trials)
        assert score.value == alone.value
        np.testing.assert_allclose(score.case_scores, (alone.case_scores + likely) / 2, atol=1e-12)
    assert task.teacher(task.trials_of("held_out", 1, 4)) is None
    assert plain.teacher(trials) is None


def test_the_circuit_that_was_recorded_is_least_surprised_by_its_own_spikes():
    hidden_ = hidden(4, neurons=2, recorded=1, seconds=20)
    task = made(to_csv(hidden_.recording).encode(), window_ms=300, lead_in_ms=300, teacher_forcing=True)
    trials = task.trials_of("search", 1, 16)
    surprise = []
    for factor in (1.0, 0.7, 1.4):
        channels = tuple(
            c.model_copy(
                update={"synapses": tuple(s.model_copy(update={"weight_mv": factor * s.weight_mv}) for s in c.synapses)}
            )
            for c in hidden_.circuit.inputs
        )
        circuit = hidden_.circuit.model_copy(update={"inputs": channels})
        measured_ = evaluate(task, trials, from_circuit(circuit, np.float32)).scored.measured
        surprise.append(measured_[0, :, -1].sum())
    assert surprise[0] < 0.8 * min(surprise[1:])
