"""The benchmarks of parts and of races: that their controls are what they claim."""

from collections import Counter

import numpy as np
import pytest

from circuits import simulate
from circuits.zoo import zoo
from evo.spec.run_spec import read_alone
from fitness.learning.network import Sizes
from fitness.learning.settings import settings
from tests.bench import bench_parts, bench_racing, parts_arms, parts_loop, spoken
from tests.bench.bench_parts import COMMON, SETTINGS
from tests.bench.parts_arms import ARMS, RIVALS, network_of, random, rewired
from tests.bench.parts_robust import robust
from tests.bench.parts_search import COMMITTED, KINDS, SPOKEN, bounds, spec_of

pytestmark = pytest.mark.long  # torch alone takes seconds to start
GATE = zoo["gate-3"].circuit
SPEC = bounds("flip-flop")


def degrees(circuit):
    incoming, outgoing = Counter(s.post for s in circuit.synapses), Counter(s.pre for s in circuit.synapses)
    heard = Counter(s.post for channel in circuit.inputs for s in channel.synapses)
    return incoming, outgoing, heard, [len(channel.synapses) for channel in circuit.inputs], [n.sign for n in circuit.neurons]


def weights(circuit):
    sign = {n.id: n.sign for n in circuit.neurons}
    return Counter((sign[s.pre], s.weight_mv, s.delay_ms) for s in circuit.synapses)


def test_a_rewired_part_has_the_same_degrees_and_weights():
    found = [rewired(GATE, np.random.default_rng(seed)) for seed in range(8)]
    assert all(degrees(one) == degrees(GATE) and weights(one) == weights(GATE) for one in found)
    assert any(one != GATE for one in found)


def test_a_random_part_has_as_many_neurons_of_each_sign():
    like = rewired(zoo["toggle-2"].circuit, np.random.default_rng(0))
    found = random(like, SPEC, np.random.default_rng(1))
    assert sorted(n.sign for n in found.neurons) == sorted(n.sign for n in like.neurons)


def test_a_part_of_every_setting_evolves_in_a_spec_that_is_valid(tmp_path):
    for setting in SETTINGS:
        kind = KINDS.get(setting, setting)
        if setting == "match-frozen":
            setting = "match"  # in whose search the inside learned
        if kind in COMMITTED or SPOKEN.exists():
            judge = read_alone(spec_of(kind, tmp_path)).make_judge(folder=tmp_path)
            assert judge.settings.trainable == (COMMON | {"trainable": ["weights", "bias"]} | SETTINGS[setting])["trainable"]


@pytest.mark.parametrize("arm", [arm for arm in (*ARMS, *RIVALS) if bench_parts.absent("flip-flop", arm) is None])
def test_all_arms_have_about_the_same_number_of_parameters_and_fixed_time_constants(arm):
    sizes = Sizes(channels=48, heads=3, classes=2, every_step=True, dt_ms=1.0)
    chosen = settings(COMMON | SETTINGS["flip-flop"])
    network = network_of(arm, chosen, sizes, lambda: zoo["toggle-2"].circuit, SPEC, 1)
    assert 0.85 * chosen.parameters < network.parameter_count <= chosen.parameters
    assert not any("tau" in name for name, p in network.named_parameters() if p.requires_grad)


def test_a_bench_of_parts_goes_on_where_it_was_and_tunes_on_a_seed_that_does_not_count(tmp_path, monkeypatch, capsys):
    asked = []

    def trained(job):
        asked.append((job["seed"], job["rate"]))
        rest = dict.fromkeys(set(bench_parts.COLUMNS) - set(job), 0.0)
        return rest | {"accuracy": 0.9 if job["rate"] == bench_parts.RATES[1] else 0.6}

    monkeypatch.setattr(bench_parts, "trained", trained)
    monkeypatch.setenv("BENCH_CSV", str(tmp_path / "parts.csv"))
    arguments = ["bench", "--seeds", "2", "--steps", "10", "--settings", "parity", "--arms", "single neuron"]
    monkeypatch.setattr("sys.argv", arguments)
    for _ in range(2):
        bench_parts.main()
    tuning = [(bench_parts.TUNED_ON, rate) for rate in bench_parts.RATES]
    assert asked == [*tuning, (1, bench_parts.RATES[1]), (2, bench_parts.RATES[1])]
    assert "| parity | single neuron | 0.000 | 0.000 | 0.000 | 0.900 | 0.900 0.900 |" in capsys.readouterr().out


def test_a_race_of_the_benchmark_is_that_of_the_search():
    stages = np.random.default_rng(0).normal(size=(16, 3))
    stages[3] = 9
    winner, cost = bench_racing.raced(stages, np.array([1 / 16, 1 / 4, 1.0]), 0.25)
    assert winner == 3
    assert cost == pytest.approx(16 / 16 + 4 * 3 / 16 + 3 / 4)
    said = bench_racing.compared(
        np.tile(np.arange(16.0)[:, None], 3), np.arange(16.0), np.array([1 / 16, 1 / 4, 1.0]), 0.25, 50
    )
    assert "6.4 times the circuits" in said
    assert "race 15.000" in said


def test_noise_and_loss_change_a_copy_of_a_network_alone():
    chosen = settings(COMMON | SETTINGS["flip-flop"] | {"parameters": 400})
    sets, dt_ms = bench_parts.sets_of("flip-flop", chosen.model_copy(update={"judged": 4, "examples": 2}), 1)
    network = network_of("single neuron", chosen, Sizes.of(sets.train, dt_ms), None, SPEC, 1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = robust(network, sets.judged, 1)
    assert set(found) == set(bench_parts.ROBUST)
    assert all(0 <= value <= 1 for value in found.values())
    assert all((value == before[name]).all() for name, value in network.state_dict().items())


def test_a_spoken_word_becomes_spikes_of_the_bands_in_which_it_is_loud():
    times = np.arange(4000) / spoken.RATE
    found = spoken.heard(8000 * np.sin(2 * np.pi * 1000 * times))
    assert found.shape == (spoken.STEPS, spoken.BANDS)
    centres = np.linspace(spoken.mel_of(100), spoken.mel_of(4000), spoken.BANDS + 2)[1:-1]
    assert abs(found.sum(axis=0).argmax() - np.abs(centres - spoken.mel_of(1000)).argmin()) <= 1
    assert found[:250].sum() > 10 * found[280:].sum()


def test_training_in_a_closed_loop_changes_weights_alone_and_is_judged_in_both_bodies():
    circuit = parts_loop.part("rewired", 1)
    task = parts_loop.fitness.task("phonotaxis")
    course = parts_loop.trained(circuit, task, 1, 2)
    found = list(parts_loop.rows("rewired", 1, "cricket", circuit, 2))
    assert [row[2:4] for row in found] == [("cricket", "cricket"), ("cricket", "clumsy")]
    assert found[0][4] != found[1][4]
    assert degrees(course[-1]) == degrees(circuit)
    assert all(0.05 < b.weight_mv / a.weight_mv < 20 for a, b in zip(circuit.synapses, course[-1].synapses, strict=True))
    assert "| rewired | cricket | clumsy |" in parts_loop.table(found)


def test_the_ablations_keep_the_neurons_and_lose_or_gain_recurrence():
    assert parts_arms.uncoupled(GATE).neurons == GATE.neurons
    assert not parts_arms.uncoupled(GATE).synapses
    pulse = np.zeros((1, 400, 1), bool)
    pulse[0, 5:20] = True
    strong = parts_arms.self_exciting()
    activity = simulate(strong, pulse).spikes()[0, :, 0]
    assert activity[-50:].any()
