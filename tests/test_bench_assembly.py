"""The benchmark of assembled motifs: that its controls are what they claim, and that it runs."""

import json
from collections import Counter

import numpy as np
import pytest
import torch

import circuits
from circuits import data
from circuits.motif_file import Motif
from fitness.learning.essential import essential as core
from tests.bench import bench_assembly
from tests.bench.assembly_motifs import SPEC, learning_spec, rewired, stretched, unevolved
from tests.bench.assembly_networks import Gru, Sizes, assembled, dense
from tests.bench.assembly_report import interval, tables
from tests.bench.assembly_tasks import PRICED, TASKS, Task, sets_of
from tests.bench.bench_assembly import ARMS, SNNTORCH, best_choice
from tests.bench.rivals.classify import FIRST_SPIKES, excite, fired, learn, parameters, picked
from tests.bench.rows import json_rows

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


TINY = Task(lambda seed: data.randman(320, 64, seed, classes=3, channels=6, steps=30), 3, 600, 30)
LINES = {"itd": 200, "itd-in-phase": 200, "randman": 20, "yin-yang": 5, "digits": 64}
SMALL = Sizes(6, 0, 3, 600)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("arm", ["motif", "dale", "any sign", "gru"])
def test_networks_have_the_parameters_asked_for(task, arm):
    sizes = Sizes(LINES[task.removesuffix(PRICED)], TASKS[task].features, TASKS[task].classes, TASKS[task].parameters)
    network = {
        "motif": lambda: assembled(unevolved(0), sizes),
        "dale": lambda: dense(sizes, True, 0),
        "any sign": lambda: dense(sizes, False, 0),
        "gru": lambda: Gru(sizes),
    }[arm]()
    assert parameters(network) == pytest.approx(TASKS[task].parameters, rel=0.06)


def trained(network, price=0.0):
    sets = sets_of(TINY, 0)
    return learn(network, *sets, 20, 0.1, 0, price)


def test_lines_are_brought_together_into_features_where_a_task_says_so():
    sizes = SMALL._replace(lines=40, features=2)
    x = torch.rand(30, 4, 40).round()
    for network in (assembled(unevolved(0), sizes), dense(sizes, False, 0), Gru(sizes)):
        with torch.no_grad():
            network.input_projection.weight[:, 20:] = 0
        assert parameters(network) == pytest.approx(600, rel=0.06)
        assert torch.equal(network(x), network(torch.cat([x[..., :20], torch.zeros(30, 4, 20)], -1)))
        assert network(x).shape == (4, 3)


@pytest.mark.slow
def test_a_price_keeps_neurons_silent():
    free, priced = (trained(assembled(unevolved(0), SMALL), price) for price in (0.0, 1.0))
    assert free["spikes"] > 0
    assert priced["spikes"] < 0.5 * free["spikes"]
    assert trained(Gru(SMALL), 1.0)["spikes"] is None


def test_where_spikes_have_a_price_settings_are_chosen_by_it():
    rows = [
        {"task": "t", "arm": "a", "seed": 0, "rate": rate, "gain": 1.0, "validation": v, "accuracy": v, "spikes": spikes}
        for rate, v, spikes in ((0.03, 0.9, 100.0), (0.1, 0.8, 20.0))
    ]
    assert best_choice(rows, "t", "a", TINY.score) == (0.03, 1.0)
    assert best_choice(rows, "t", "a", TINY._replace(price=0.03).score) == (0.1, 1.0)


def test_the_dense_layer_with_dales_law_keeps_it_and_the_other_does_not():
    for dale in (True, False):
        network = dense(SMALL, dale, 0)
        trained(network)
        cell = network.layers[0].cell
        signed = cell.excitatory.taps()[0]
        if dale:
            share = sum(n.sign == "E" for n in cell.motif.neurons) / cell.neurons
            assert share == pytest.approx(0.8, abs=0.05)
            assert (signed >= 0).all()
            assert (cell.inhibitory.taps()[0] <= 0).all()
            assert len(cell.inhibitory.source) > 0
        else:
            assert 0.3 < (signed < 0).double().mean() < 0.7
        assert len(cell.excitatory.source) + len(cell.inhibitory.source) == cell.neurons**2


def test_assembled_motifs_keep_wiring_and_signs_through_training():
    network = assembled(unevolved(1), SMALL)
    before = [(s.pre, s.post) for s in network.layers[0].cell.motif.synapses]
    trained(network)
    after = network.layers[0].cell.to_motif()
    assert [(s.pre, s.post) for s in after.synapses] == before
    assert (network.layers[0].cell.inhibitory.taps()[0] <= 0).all()


def test_the_core_of_a_motif_fires_as_the_whole_does():
    smaller = 0
    for seed in range(12):
        motif = unevolved(seed)
        found = core(motif)
        smaller += len(found.neurons) < len(motif.neurons)
        assert core(found) == found
        spikes = np.random.default_rng(seed).random((16, 100, 2)) < 0.3
        channels = [[c.name for c in motif.inputs].index(c.name) for c in found.inputs]
        whole = Motif(**motif.model_dump() | {"outputs": found.model_dump()["outputs"]})
        counts = circuits.simulate(whole, spikes).outputs.counts()
        assert np.array_equal(circuits.simulate(found, spikes[:, :, channels]).outputs.counts(), counts)
    assert smaller > 0


def degrees(motif):
    incoming, outgoing = Counter(s.post for s in motif.synapses), Counter(s.pre for s in motif.synapses)
    heard = Counter(s.post for channel in motif.inputs for s in channel.synapses)
    return incoming, outgoing, heard, [len(channel.synapses) for channel in motif.inputs], [n.sign for n in motif.neurons]


def test_a_random_motif_has_the_same_neurons_and_degrees_and_another_wiring():
    motifs = [unevolved(seed) for seed in range(12)]
    for motif in motifs:
        assert degrees(rewired(motif, 0)) == degrees(motif)
        assert rewired(motif, 0) == rewired(motif, 0)
    changed = [{(s.pre, s.post) for s in rewired(m, 1).synapses} != {(s.pre, s.post) for s in m.synapses} for m in motifs]
    assert sum(changed) > 6


def test_unevolved_motifs_differ_and_keep_to_the_bounds_of_the_search():
    motifs = [unevolved(seed) for seed in range(5)]
    assert len({motif.model_dump_json() for motif in motifs}) == 5
    low, high = SPEC.circuit.neurons
    assert all(low <= len(motif.neurons) <= high for motif in motifs)


@pytest.mark.parametrize("task", TASKS)
def test_the_search_for_a_quick_learner_is_one_by_learning(task):
    found = learning_spec(task)
    if task.startswith("digits"):
        return
    judge = found.make_judge()
    assert judge.settings.parameters == TASKS[task].parameters
    cost = judge.settings.spike_cost * (1 - 1 / TASKS[task].classes)
    assert TASKS[task].score(0.8, 100.0) == pytest.approx(0.8 - 100 * cost)


def test_a_stretched_motif_does_the_same_more_slowly():
    motif = unevolved(3)
    slow = stretched(motif, 3.0, 3.0)
    spikes = np.random.default_rng(0).random((8, 80, 2)) < 0.2
    assert np.array_equal(circuits.simulate(motif, spikes).counts(), circuits.simulate(slow, spikes).counts())


def test_all_spiking_networks_begin_as_active():
    sets = sets_of(TINY, 0)
    x = picked(sets.train, slice(None))[0]
    data = core(unevolved(0)).model_dump()
    for neuron in data["neurons"]:
        neuron["t_ref_ms"] = 1.0  # with a long one it may not be able to
    for network in (assembled(Motif(**data), SMALL), dense(SMALL, True, 0), dense(SMALL, False, 0)):
        excite(network, x)
        assert fired(network, x) / network.neurons == pytest.approx(FIRST_SPIKES, rel=0.1)


def test_judging_splits_are_disjoint_and_the_test_set_is_not_used_to_choose():
    ears = Task(lambda seed: data.itd(320, 64, seed, fibres=5, classes=3), 3, 600, 30)
    sets = sets_of(ears, 1)
    assert [len(part[1]) for part in sets] == [256, 64, 64]
    trials = [{trial.numpy().tobytes() for trial in part[0]} for part in sets]
    assert not trials[0] & trials[1]
    assert not trials[0] & trials[2]
    rows = [
        {"task": "t", "arm": "a", "seed": 0, "rate": rate, "gain": 1.0, "validation": v, "accuracy": 1 - v, "spikes": None}
        for rate, v in ((0.1, 0.6), (0.3, 0.9), (1.0, 0.2))
    ]
    assert best_choice(rows, "t", "a", TINY.score) == (0.3, 1.0)


def test_settings_are_chosen_by_the_mean_over_the_seeds_for_it():
    rows = [
        {"task": "t", "arm": "a", "seed": seed, "rate": rate, "gain": 1.0, "validation": v, "spikes": None}
        for rate, found in ((0.03, (0.7, 0.7, 0.1)), (0.1, (0.9, 0.3, 0.9)))
        for seed, v in zip((0, 100, 1), found, strict=True)
    ]
    assert best_choice(rows, "t", "a", TINY.score) == (0.03, 1.0)


def test_the_interval_is_students():
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.4841), abs=1e-3)


@pytest.mark.slow  # it trains every kind of network
def test_a_bench_runs_is_taken_up_again_and_prints_its_tables(tmp_path, monkeypatch, capsys):
    arms = [arm for arm in ARMS if not arm.startswith("evolved")]
    path = tmp_path / "assembly.jsonl"
    monkeypatch.setenv("BENCH_JSON", str(path))
    monkeypatch.setattr(bench_assembly, "quick_learner", lambda *_: unevolved(0))
    monkeypatch.setattr(bench_assembly, "LEARNT_ON", {"tiny": "tiny"})
    monkeypatch.setattr("sys.argv", ["bench", "--seeds", "1", "--arms", *arms])
    bench_assembly.main({"tiny": TINY}, [(0.1, 0.3)])
    said = capsys.readouterr().out
    here = [arm for arm in arms if arm != SNNTORCH or "skipped" not in said]
    assert {(r["arm"], r["seed"]) for r in json_rows(path) if r["arm"] != "GRU"} == {
        (arm, seed) for arm in here if arm != "GRU" for seed in (0, 1, 100)
    }
    assert all(f"| tiny | {arm} |" in said for arm in here)
    assert path.with_suffix(".svg").read_text().startswith("<?xml")
    stored = path.read_text()
    bench_assembly.main({"tiny": TINY}, [(0.1, 0.3)])
    assert path.read_text() == stored
    for row in map(json.loads, stored.splitlines()):
        assert 0 <= row["accuracy"] <= 1
        assert row["parameters"] == pytest.approx(600, rel=0.1)
        assert (row["spikes"] is None) == (row["arm"] == "GRU")


def test_tables_show_differences_seed_by_seed():
    rows = [
        {"task": "t", "arm": arm, "seed": s, "accuracy": a, "spikes": 10.0, "steps_to_95": 50, "parameters": 100, "curve": [a]}
        for arm, found in (("ours", (0.9, 0.8)), ("theirs", (0.8, 0.7)))
        for s, a in enumerate(found)
    ]
    short, full = tables(rows, ["t"], ["ours", "theirs"])
    assert "| ours | 85.0 ± 63.5 |" in short
    assert "| +10.0 ± 0.0 |" in full
