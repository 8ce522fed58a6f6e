import numpy as np
import pytest

import fitness
from circuits import Circuit
from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import parse
from evo.spec.starter import starter
from fitness.evaluation.evaluate import evaluate
from fitness.references import reference
from fitness.tasks import BUILT_IN
from tests.fitness.answers import columns, one_spike_for, raster, silence, trained_and_tested

MORE = [
    *(("itd", {"detectors": k}) for k in (2, 3, 8)),
    *(("order", {"channels": 2}), ("gate", {"volleys": 1})),
]
SETTINGS = [*((name, {}) for name in BUILT_IN), *MORE]
TIMED = [(name, settings) for name, settings in SETTINGS if BUILT_IN[name].timing]
# Where every trial asks for the same, and any trial's answer fits any other.
ALIKE = {"setpoint", "stability", "gamma"}


def ids(settings):
    return [" ".join([name, *(f"{key}={value}" for key, value in more.items())]) for name, more in settings]


@pytest.fixture(params=SETTINGS, ids=ids(SETTINGS))
def task(request):
    name, settings = request.param
    return fitness.task(name, **settings)


@pytest.fixture(params=TIMED, ids=ids(TIMED))
def timed(request):
    name, settings = request.param
    return fitness.task(name, **settings)


@pytest.fixture(params=[("itd", {}), ("itd", {"detectors": 2}), ("order", {}), ("order", {"channels": 2})])
def rateless(request):
    name, settings = request.param
    return fitness.task(name, **settings)


# -- all tasks


def test_trials_depend_on_settings_and_seed_alone(task):
    a, b, c = task.trials(5, 70), type(task)(**task.model_dump()).trials(5, 70), task.trials(6, 70)
    np.testing.assert_array_equal(a.spikes, b.spikes)
    np.testing.assert_array_equal(a.labels, b.labels)
    for name, fact in a.facts.items():
        np.testing.assert_array_equal(fact, b.facts[name])
    assert (a.spikes != c.spikes).any()
    assert a.spikes.shape == (70, task.steps, len(task.inputs))
    assert a.spikes.any()


@pytest.mark.parametrize("count", [1, 64, 65, 256])
def test_classes_are_balanced(task, count):
    trials = task.trials(3, max(count, 2))  # several tasks need as many trials
    for label in np.unique(trials.labels):
        assert trials.weights[trials.labels == label].sum() == pytest.approx(1 / len(np.unique(trials.labels)))


def test_classes_come_in_random_order(task):
    labels = task.trials(4, 256).labels
    if len(np.unique(labels)) == 1 or task.name == "several":  # that one has its tasks one after the other
        return
    assert abs(np.corrcoef(labels[:-1], labels[1:])[0, 1]) < 0.25


def test_a_silent_circuit_scores_nothing(task):
    trials = task.trials(1, 64)
    score = task.score(raster(task, silence(task, trials)), trials)
    assert score.value == 0
    assert score.trial_scores.shape == score.case_scores.shape == (64,)


def test_a_circuit_that_always_fires_scores_nothing(task):
    trials = task.trials(1, 64)
    assert task.score(raster(task, ~silence(task, trials)), trials).value == 0


def test_noise_scores_nothing(task):
    trials, rng = task.trials(1, 512), np.random.default_rng(0)
    for rate in (0.001, 0.02, 0.3):
        spikes = rng.random((512, task.steps, columns(task))) < rate
        assert task.score(raster(task, spikes), trials).value < 0.1


# Before the founders: machine code for populations takes in that for one circuit if it is there.


def solved(task, count, seed=3):
    """Trials, and the raster of the task's reference circuit on them."""
    trials = task.trials(seed, count)
    return trials, task.simulate(reference(task.name).circuit, trials, "float32")


@pytest.fixture(params=sorted(set(BUILT_IN) - {"several"}))
def own(request):
    """A task with its reference circuit."""
    return fitness.task(request.param)


def test_answers_to_other_trials_score_nothing(own):
    if own.name in ALIKE:
        return
    trials, answers = solved(own, 512)
    shuffled = np.random.default_rng(0).permutation(512)
    heard = answers if own.listens == "all" else answers.outputs
    other = Raster(pack(heard.spikes()[shuffled]), 512, own.dt_ms, excitatory=heard.excitatory)
    assert own.score(other, trials).value < 0.15


def test_more_trials_narrow_the_interval(own):
    widths = []
    for count in (64, 512):
        trials, answers = solved(own, count)
        heard = (answers if own.listens == "all" else answers.outputs).spikes()
        heard &= np.random.default_rng(0).random(heard.shape) < 0.95  # a circuit that forgets some of its spikes
        score = own.score(Raster(pack(heard), count, own.dt_ms, excitatory=answers.excitatory), trials)
        low, high = own.interval(score, trials)
        assert 0 <= low <= score.value <= high <= 1
        widths.append(high - low)
    assert widths[1] < max(0.6 * widths[0], 0.05)


def test_a_search_can_climb_from_silence_to_the_reference_circuit(own):
    trials, answers = solved(own, 256)
    heard = (answers if own.listens == "all" else answers.outputs).spikes()
    asleep, smooth_scores = np.random.default_rng(1).random(256), []
    for share in np.linspace(0, 1, 9):  # of the trials in which it works
        spikes = heard & (asleep < share)[:, None, None]
        score = own.score(Raster(pack(spikes), 256, own.dt_ms, excitatory=answers.excitatory), trials)
        smooth_scores.append(score.value + (score.case_scores * trials.weights).sum())
    assert (np.diff(smooth_scores) > -0.05).all(), smooth_scores
    assert len(np.unique(np.round(smooth_scores, 3))) >= 6, smooth_scores
    assert smooth_scores[-1] - smooth_scores[0] > 0.9, smooth_scores


def test_founders_score_about_nothing(task):
    spec = parse(starter(task.name)).model_copy(update={"task": {"name": task.name, **task.model_dump()}})
    form = spec.encoding(task.interface)
    trials = task.trials(1, 128)
    founders = variation.founders(form.bounds, 100, np.random.default_rng(1))
    found = evaluate(
        task, trials, genome.Candidates(founders, form, task.inputs, task.outputs).tables, spec.stop_rule(task.dt_ms)
    )
    assert found.score.mean() < 0.1  # a few are good at something
    assert np.median(found.score) < 0.01
    assert ((found.case_scores >= 0) & (found.case_scores <= 1)).all()
    assert len(np.unique(found.smooth_score)) > 3  # they differ: selection has something to work on


def test_scores_of_a_population_are_those_of_its_members(task):
    trials, rng = task.trials(1, 66), np.random.default_rng(2)
    members = rng.random((3, 66, task.steps, columns(task))) < np.array([0.01, 0.03, 0.2])[:, None, None, None]
    signs = np.tile(np.arange(columns(task)) % 2 == 0, (3, 1))
    together = task.score(Raster(np.stack([pack(m) for m in members]), 66, task.dt_ms, excitatory=signs), trials)
    low, high = task.interval(together, trials)
    for k, member in enumerate(members):
        alone = task.score(raster(task, member), trials)
        np.testing.assert_array_equal(alone.trial_scores, together.trial_scores[k])
        np.testing.assert_array_equal(alone.case_scores, together.case_scores[k])
        assert alone.value == together.value[k]
        np.testing.assert_allclose(task.interval(alone, trials), (low[k], high[k]), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "settings", "named"),
    [
        ("itd", {"detectors": 1}, "detectors"),
        ("itd", {"detectors": 9}, "detectors"),
        ("itd", {"frequency_hz": 701.0}, "frequency_hz"),
        ("itd", {"cycles": 0}, "cycles"),
        ("itd", {"jitter_ms": -0.1}, "jitter_ms"),
        ("itd", {"jitter_ms": float("nan")}, "jitter_ms"),
        ("order", {"channels": 3}, "channels"),
        ("order", {"spikes": 1}, "spikes"),
        ("order", {"jitter_ms": 21}, "jitter_ms"),
        ("gate", {"volleys": 0}, "volleys"),
        ("gate", {"control_hz": 1e6}, "control_hz"),
        ("gate", {"volley": 1}, "did you mean volleys?"),
        ("gat", {}, "did you mean gate?"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name, settings, named):
    with pytest.raises(UserError, match=named.replace("?", r"\?")) as caught:
        fitness.task(name, **settings)
    assert "\n" not in str(caught.value)


def test_a_circuit_of_another_step_or_with_other_outputs_is_refused():
    task = fitness.task("order")
    trials = task.trials(1, 4)
    neurons = [{"id": "E", "sign": "E"}]
    inputs, outputs = [{"name": "a"}], [{"name": "out", "neurons": ["E"]}]
    with pytest.raises(UserError, match=r"its step is 0\.5 ms, the circuit's 1 ms"):
        task.evaluate(Circuit(dt_ms=1.0, neurons=neurons, inputs=inputs, outputs=outputs), trials)
    with pytest.raises(UserError, match="it reads 4 output neurons, the circuit has 1"):
        task.evaluate(Circuit(dt_ms=0.5, neurons=neurons, inputs=inputs, outputs=outputs), trials)


# -- itd and order: timing alone


def test_every_trial_has_the_same_number_of_spikes_on_every_channel(rateless):
    counts = rateless.trials(1, 600).spikes.sum(axis=1)
    wanted = rateless.cycles if rateless.name == "itd" else rateless.spikes
    assert set(counts.ravel()) == {wanted}


def test_a_decoder_of_rates_is_at_chance(timed):
    assert trained_and_tested(timed, lambda spikes: spikes.sum(axis=1).astype(float)) <= 0.1


def test_a_perfect_answer_scores_1_and_a_shuffled_one_nothing(rateless):
    trials = rateless.trials(1, 600)
    assert rateless.score(one_spike_for(rateless, trials.labels), trials).value == 1
    shuffled = np.random.default_rng(0).permutation(trials.labels)
    assert rateless.score(one_spike_for(rateless, shuffled), trials).value < 0.1


def test_a_tie_is_no_success(rateless):
    trials = rateless.trials(1, 60)
    spikes = silence(rateless, trials)
    spikes[:, 10] = True
    score = rateless.score(raster(rateless, spikes), trials)
    assert not score.trial_scores.any()
    assert (score.case_scores == 0.5).all()
