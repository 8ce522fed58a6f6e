import numpy as np
import pytest

import fitness
from circuits import Circuit
from circuits.errors import UserError
from circuits.raster import Raster, pack
from evo import genome, variation
from evo.spec import parse
from evo.starter import starter
from fitness.evaluate import evaluate
from fitness.reference import reference
from fitness.tasks import BUILT_IN
from fitness.tasks.itd import HEAD_MS

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


def columns(task):
    """How many neurons a raster for the task has here."""
    return 4 if task.listens == "all" else len(task.outputs)


def raster(task, spikes):
    """The raster of what the task listens to from bool [trials, steps, columns]; half of all neurons are excitatory."""
    return Raster(pack(spikes), len(spikes), task.dt_ms, excitatory=np.arange(spikes.shape[2]) % 2 == 0)


def silence(task, trials):
    return np.zeros((len(trials), task.steps, columns(task)), bool)


def one_spike_for(task, labels):
    """Every trial's answer is one spike of the output that `labels` names."""
    spikes = np.zeros((len(labels), task.steps, len(task.outputs)), bool)
    spikes[np.arange(len(labels)), task.steps // 2, labels] = True
    return raster(task, spikes)


def decoded(features, test_features, labels, test_labels):
    """The normalised score of the best of two decoders trained on features [trials, n]: nearest mean and linear."""
    classes = np.unique(labels)
    means = np.stack([features[labels == c].mean(axis=0) for c in classes])
    nearest = ((test_features[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    one_hot = labels[:, None] == classes
    padded, test_padded = (np.column_stack([f, np.ones(len(f))]) for f in (features, test_features))
    ridge = padded.T @ padded + 1e-3 * np.eye(padded.shape[1])
    linear = (test_padded @ np.linalg.solve(ridge, padded.T @ one_hot)).argmax(axis=1)
    right = max((classes[answers] == test_labels).mean() for answers in (nearest, linear))
    return (right - 1 / len(classes)) / (1 - 1 / len(classes))


def trained_and_tested(task, features_of):
    first, second = task.trials(1, 1200), task.trials(2, 1200)
    return decoded(features_of(first.spikes), features_of(second.spikes), first.labels, second.labels)


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
    assert score.credit.shape == score.grade.shape == (64,)


def test_a_circuit_that_always_fires_scores_nothing(task):
    trials = task.trials(1, 64)
    assert task.score(raster(task, ~silence(task, trials)), trials).value == 0


def test_noise_scores_nothing(task):
    trials, rng = task.trials(1, 512), np.random.default_rng(0)
    for rate in (0.001, 0.02, 0.3):
        spikes = rng.random((512, task.steps, columns(task))) < rate
        assert task.score(raster(task, spikes), trials).value < 0.1


def test_founders_score_about_nothing(task):
    spec = parse(starter(task.name)).model_copy(update={"task": {"name": task.name, **task.model_dump()}})
    form = spec.form(task.interface)
    trials = task.trials(1, 128)
    founders = variation.founders(form.bounds, 100, np.random.default_rng(1))
    found = evaluate(task, trials, genome.builder(founders, form), spec.stop_rule(task.dt_ms))
    assert found.score.mean() < 0.1  # a few are good at something
    assert np.median(found.score) < 0.01
    assert ((found.grades >= 0) & (found.grades <= 1)).all()
    assert len(np.unique(found.climb)) > 3  # they differ: selection has something to work on


def test_scores_of_a_population_are_those_of_its_members(task):
    trials, rng = task.trials(1, 100), np.random.default_rng(2)
    members = rng.random((3, 100, task.steps, columns(task))) < np.array([0.01, 0.03, 0.2])[:, None, None, None]
    signs = np.tile(np.arange(columns(task)) % 2 == 0, (3, 1))
    together = task.score(Raster(np.stack([pack(m) for m in members]), 100, task.dt_ms, excitatory=signs), trials)
    low, high = task.interval(together, trials)
    for k, member in enumerate(members):
        alone = task.score(raster(task, member), trials)
        np.testing.assert_array_equal(alone.credit, together.credit[k])
        np.testing.assert_array_equal(alone.grade, together.grade[k])
        assert alone.value == together.value[k]
        np.testing.assert_allclose(task.interval(alone, trials), (low[k], high[k]), atol=1e-12)


def solved(task, count, seed=3):
    """Trials, and the raster of the task's reference circuit on them."""
    trials = task.trials(seed, count)
    return trials, task.simulate(reference(task.name).circuit, trials)


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
    for count in (64, 1024):
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
    asleep, climbed = np.random.default_rng(1).random(256), []
    for share in np.linspace(0, 1, 9):  # of the trials in which it works
        spikes = heard & (asleep < share)[:, None, None]
        score = own.score(Raster(pack(spikes), 256, own.dt_ms, excitatory=answers.excitatory), trials)
        climbed.append(score.value + (score.grade * trials.weights).sum())
    assert (np.diff(climbed) > -0.05).all(), climbed
    assert len(np.unique(np.round(climbed, 3))) >= 6, climbed
    assert climbed[-1] - climbed[0] > 0.9, climbed


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
    with pytest.raises(UserError, match="it reads 3 output neurons, the circuit has 1"):
        task.evaluate(Circuit(dt_ms=0.5, neurons=neurons, inputs=inputs, outputs=outputs), trials)


# -- itd and order: timing alone


def test_every_trial_has_the_same_number_of_spikes_on_every_channel(rateless):
    counts = rateless.trials(1, 600).spikes.sum(axis=1)
    wanted = rateless.cycles if rateless.name == "itd" else rateless.spikes
    assert set(counts.ravel()) == {wanted}


def test_a_decoder_of_rates_is_at_chance(timed):
    assert trained_and_tested(timed, lambda spikes: spikes.sum(axis=1).astype(float)) <= 0.1


def test_the_same_decoder_solves_order_from_the_times_so_the_answer_is_there():
    def histogram(spikes):
        bins = spikes.reshape(len(spikes), 20, spikes.shape[1] // 20, -1).sum(axis=2)
        return bins.reshape(len(spikes), -1).astype(float)

    for channels in (1, 2):
        assert trained_and_tested(fitness.task("order", channels=channels), histogram) > 0.9


@pytest.mark.parametrize("detectors", range(2, 9))
def test_the_phase_in_one_ear_alone_says_nothing_about_the_direction(detectors):
    task = fitness.task("itd", detectors=detectors)
    steps = round(1000 / task.frequency_hz / task.dt_ms)

    def phases(ear):
        def features(spikes):
            one = spikes[..., ear]
            whole = one[:, : one.shape[1] // steps * steps].reshape(len(one), -1, steps).sum(axis=1)
            turns = np.exp(2j * np.pi * np.arange(steps) / steps)
            vector = (whole * turns).sum(axis=1) / whole.sum(axis=1)
            return np.column_stack([vector.real, vector.imag])

        return features

    for ear in (0, 1):
        assert trained_and_tested(task, phases(ear)) <= 0.1


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
    assert not score.credit.any()
    assert (score.grade == 0.5).all()


@pytest.mark.parametrize("detectors", range(2, 9))
def test_time_differences_are_those_of_a_human_head(detectors):
    task = fitness.task("itd", detectors=detectors, jitter_ms=0.0)
    assert task.dt_ms == 0.05
    assert np.abs(task.directions_ms).max() < HEAD_MS == 0.7
    np.testing.assert_allclose(task.directions_ms, -task.directions_ms[::-1], atol=1e-12)
    trials = task.trials(1, 64)
    first = [np.argmax(trials.spikes[..., ear], axis=1) * 0.05 for ear in (0, 1)]
    np.testing.assert_allclose(first[1] - first[0], trials.facts["itd_ms"], atol=0.0501)
    assert (np.diff(task.directions_ms) > 0).all()  # from left leading... to right trailing: later and later in the right ear


def jeffress():
    """Delay lines and coincidence detectors for two directions: each detector hears the leading ear later."""
    tau = {"tau_m_ms": 0.2, "tau_syn_e_ms": 0.1, "t_ref_ms": 1.0}
    neurons = [{"id": f"E{k}", "sign": "E", **tau} for k in range(2)]
    lags = {"left": (0.05, 0.4), "right": (0.4, 0.05)}
    inputs = [
        {"name": ear, "synapses": [{"post": f"E{k}", "weight_mv": 44.0, "delay_ms": lag} for k, lag in enumerate(by_detector)]}
        for ear, by_detector in lags.items()
    ]
    outputs = [{"name": f"direction{k}", "neurons": [f"E{k}"]} for k in range(2)]
    return Circuit(dt_ms=0.05, neurons=neurons, inputs=inputs, outputs=outputs)


def test_jeffress_circuit_locates_sounds():
    task = fitness.task("itd", detectors=2)
    trials = task.trials(1, 512)
    score = task.evaluate(jeffress(), trials)
    assert score.value >= 0.9
    swapped = Circuit.model_validate({**jeffress().model_dump(), "outputs": [
        {"name": f"direction{k}", "neurons": [f"E{1 - k}"]} for k in range(2)
    ]})  # fmt: skip
    assert task.evaluate(swapped, trials).value == 0


# -- order


def test_order_puts_the_spikes_where_it_says():
    task = fitness.task("order", channels=1)
    trials = task.trials(1, 300)
    for label, (start, stop) in enumerate(((0, 100), (0, 20), (80, 100))):
        times = (np.argwhere(trials.spikes[trials.labels == label, :, 0])[:, 1] + 1) * task.dt_ms
        assert start <= times.min()
        assert times.max() <= stop + 3  # a burst that is full spills over by a few steps
    task = fitness.task("order", channels=2)
    trials = task.trials(1, 300)
    centre = (trials.spikes * np.arange(task.steps)[:, None]).sum(axis=1) / task.spikes
    np.testing.assert_array_equal(trials.labels, centre[:, 0] > centre[:, 1])


# -- gate


def gate_answers(task, trials, answered):
    """A raster with a spike 5 ms after the start of every volley for which answered [trials, volleys] is true."""
    spikes = silence(task, trials)
    rows = np.rint((trials.facts["volley_ms"] + 5) / task.dt_ms).astype(int)
    for trial, volley in np.argwhere(answered):
        spikes[trial, rows[trial, volley], 0] = True
    return task.score(raster(task, spikes), trials).value


@pytest.mark.parametrize("volleys", [1, 3, 10])
def test_gate_rewards_answers_to_the_routed_channel_alone(volleys):
    task = fitness.task("gate", volleys=volleys)
    trials = task.trials(1, 128)
    routed = trials.facts["routed"]
    assert (routed.sum(axis=1) == volleys).all()
    assert gate_answers(task, trials, routed) == 1
    assert gate_answers(task, trials, ~routed) == 0
    assert gate_answers(task, trials, np.ones_like(routed)) == 0
    assert gate_answers(task, trials, routed & (np.arange(routed.shape[1]) >= 0) & (trials.labels == 1)[:, None]) == 0.5
    rng = np.random.default_rng(0)
    assert gate_answers(task, trials, rng.permuted(routed, axis=1)) < 0.1


def test_gate_without_the_control_input_cannot_be_solved():
    task = fitness.task("gate")
    trials = task.trials(1, 512)
    volleys = [trials.spikes[..., c] for c in (0, 1)]
    for answer in volleys:  # repeat one channel whatever the control says
        assert task.score(raster(task, answer[..., None]), trials).value < 0.1


def test_gate_control_fires_in_half_of_the_trials_and_says_nothing_about_the_volleys():
    trials = fitness.task("gate").trials(1, 512)
    fires = trials.spikes[..., 2].any(axis=1)
    np.testing.assert_array_equal(fires, trials.labels == 1)
    counts = trials.spikes[..., :2].sum(axis=1)
    np.testing.assert_allclose(counts[fires].mean(axis=0), counts[~fires].mean(axis=0), rtol=0.1)
