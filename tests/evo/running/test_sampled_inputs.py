"""Searches whose circuits are driven by a sampled signal, and scored by the histogram of their spikes."""

import numpy as np
import pytest

import circuits
import evo
from circuits.errors import UserError
from circuits.simulation.drive import resampled
from evo import genome
from evo.inspect import page
from evo.spec.run_spec import parse
from fitness.recordings.baselines import fit_all
from fitness.recordings.task import RecordingTask
from tests.evo.tiny import one_line_of, stops_after
from tests.fitness.recordings import files

pytestmark = pytest.mark.long
ANALYSED = 1

SPEC = """
[task]
name = "recording"
file = "FILE"
window_ms = 100.0
lead_in_ms = 20.0
scored_by = "psth"
precision_ms = 4.0
hold_out = "time"

[circuit]
neurons = [1, 3]
delay_ms = [0.5, 5.0]
gain_mv = [1.0, 40.0]

[circuit.parameters]
bias_mv = [-10.0, 10.0]

[search]
seed = 3
generations = 4
islands = 2
population = 12
epoch = 2
trials = 24
held_out = 12
archive = 4
objectives = ["score", "size"]
"""


def trials():
    return files.driven(trials=2, steps=2400)


def spec_over(folder, content: bytes, file="cell.csv"):
    (folder / file).write_bytes(content)
    path = folder / "cell.toml"
    path.write_text(SPEC.replace("FILE", file), encoding="utf-8")
    return path


def csv():
    return files.as_csv(trials(), "# duration_ms = 1200\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("driven")
    return evo.run(spec_over(folder, csv()), folder / "run", workers=0)


@pytest.fixture(scope="module")
def task():
    settings = {"window_ms": 100.0, "lead_in_ms": 20.0, "scored_by": "psth", "precision_ms": 4.0, "hold_out": "time"}
    return RecordingTask(file="cell.csv", **settings).over(csv())


def test_a_search_finds_neurons_that_a_signal_drives_and_keeps_what_it_is(finished, tmp_path):
    assert finished.interface.inputs == ("wave", "-wave")
    motif = finished.motif(0)
    one, other = (channel.signal for channel in motif.inputs)
    assert (one.of, one.unit, one.scale) == ("wave", "pA", -other.scale)
    assert any(channel.synapses for channel in motif.inputs)
    assert finished.front[0].score > 0.3
    assert circuits.load(circuits.save(motif, tmp_path / "m.json")).circuit == motif.circuit
    assert page.write(finished, tmp_path / "page.html").stat().st_size > 10_000
    assert finished.analysis(finished.front[0]) is not None


def test_the_motif_alone_does_with_the_signal_what_the_search_saw(finished, task):
    seen = task.trials_of("search", 3, 24)
    motif = finished.motif(0)
    by_drive = task.simulate(motif.circuit, seen)
    windows, item = task.prepared.windows, seen.facts["item"]
    assert (windows.origin[item] == 0).any()
    raw = np.stack([trial[4]["wave"].values for trial in trials()])
    values = [raw[windows.stimulus[i], windows.origin[i] :][: windows.stop[i]] for i in item]
    steps = seen.spikes.shape[1]
    signal = motif.inputs[0].signal
    padded = np.array([np.r_[v, np.full(steps - len(v), signal.center)] for v in values])
    alone = circuits.simulate(motif.circuit, seen.spikes, signals={"wave": (0.5, padded)}, seed=seen.noise_seed)
    assert np.mean(alone.spikes() != by_drive.spikes()) < 1e-3  # the search's drive is rounded to float32
    assert by_drive.counts().sum() > 0


def test_a_stopped_search_goes_on_to_the_same_archive(tmp_path, finished):
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_over(tmp_path, csv()), tmp_path / "run", workers=0, observe=stops_after(2))
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == finished.archive_sha256


@pytest.mark.slow
def test_a_search_finds_noisy_neurons_that_a_signal_drives(tmp_path):
    spec = spec_over(tmp_path, csv())
    spec.write_text(spec.read_text(encoding="utf-8").replace("[circuit]", "[circuit]\nnoise_mv = 2.0"), encoding="utf-8")
    run = evo.run(spec, tmp_path / "run", workers=0)
    assert run.motif(0).noise_mv == 2
    assert run.front[0].score > 0.3


def test_the_same_content_gives_the_same_archive_in_every_file(tmp_path, finished):
    other = evo.run(spec_over(tmp_path, files.as_npz(trials()), "cell.npz"), tmp_path / "run", workers=0)
    assert other.archive_sha256 == finished.archive_sha256
    pytest.importorskip("pynwb")
    nwb = files.as_nwb(tmp_path / "made.nwb", trials())
    third = evo.run(spec_over(tmp_path, nwb, "cell.nwb"), tmp_path / "third", workers=0)
    assert third.archive_sha256 == finished.archive_sha256


def test_the_histogram_is_scored_as_numpy_would(finished, task):
    seen = task.trials_of("held_out", 3, 30)
    spikes = task.simulate(finished.motif(0).circuit, seen, "float32").outputs.spikes()[..., 0]
    w, item, width = task.prepared.windows, seen.facts["item"], 8
    measured, found = [], []
    for i in np.unique(item):
        first, last = w.start[i], w.stop[i]
        bins = -(-int(last - first) // width)
        runs = spikes[item == i, first:last]
        filled = np.zeros((len(runs), bins * width))
        filled[:, : last - first] = runs
        x = filled.reshape(len(runs), bins, width).sum(axis=2)
        train = w.measured.step[w.measured.first[w.measured.repeat[i]] : w.measured.first[w.measured.repeat[i] + 1]]
        y = np.bincount((train - first) // width, minlength=bins)
        found.append(np.repeat(x.mean(axis=0)[None], len(runs), axis=0).ravel())
        measured.append(np.repeat(y[None], len(runs), axis=0).ravel())
    expected = np.corrcoef(np.concatenate(found), np.concatenate(measured))[0, 1]
    raster = task.simulate(finished.motif(0).circuit, seen, "float32")
    assert float(task.score(raster, seen).value) == pytest.approx(max(expected, 0), abs=0.01)  # of a bin that is cut short


def test_the_usual_models_see_the_signal(task):
    found = {baseline.model: baseline.search for baseline in fit_all(task)}
    assert found["best constant rate"] == 0
    assert found["linear-nonlinear"] > 0.2


def test_genomes_of_sampled_inputs_keep_their_bounds_whatever_varies_them(finished):
    spec = finished.spec
    form = spec.encoding(finished.interface)
    rng = np.random.default_rng(0)
    made = genome.variation.founders(form.bounds, 100, rng)
    for _ in range(10):
        children, _ = genome.variation.crossover(made, np.arange(100), rng.permutation(100), form.bounds, rng)
        made = genome.variation.mutate(children, form.bounds, rng)
        assert not [fault for one in made for fault in genome.faults(one, form.bounds)]
    gains = made["weight"][:, :2][made["weight"][:, :2] > 0]
    assert gains.max() <= 40
    assert (made["weight"][:, 2:] > 40).any()
    for one in made[:20]:
        circuit = genome.to_circuit(one, form, finished.interface.inputs, finished.interface.outputs)
        again = genome.from_circuit.from_circuit(circuit, form, finished.interface.inputs, finished.interface.outputs)
        assert again.genome["weight"].sum() == pytest.approx(one["weight"].sum())


def test_conductances_and_circuits_of_another_signal_are_refused_in_one_line(tmp_path, finished):
    text = SPEC.replace("[circuit]\n", '[circuit]\nneuron_model = "lif_cond_exp"\n').replace("\nbias_mv = [-10.0, 10.0]", "")
    with pytest.raises(UserError, match=r"circuit\.neuron_model: lif_cond_exp has conductances"):
        parse(text).encoding(finished.interface)
    path = spec_over(tmp_path, csv())
    circuits.save(circuits.zoo["gate-3"], tmp_path / "other.json")
    path.write_text(path.read_text().replace("[search]\n", '[search]\nfounders = ["other.json"]\n'))
    assert "other.json" in one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))


def test_resampling_is_that_of_the_simulator(task):
    values = trials()[0][4]["wave"].values
    assert np.array_equal(task.prepared.windows.signals[0, :200, 0], resampled(values, 0.5, 0.5, 2400)[:200])


def test_the_page_shows_what_was_measured_beside_what_the_circuit_does(finished):
    from evo.inspect.page import page_data

    found = page_data.of_run(finished)
    same = found["equally_good"]
    assert 1 <= same["wirings"] <= same["circuits"]
    assert "explain" in same["text"]
    compared = finished.spec.judge_class.comparison(finished.spec.task, finished.folder, finished.interface)
    (output,) = compared(finished.front[0].circuit, 3)["outputs"]
    assert output["name"] == "x"
    window = output["windows"][0]
    spikes = trials()[0][3]["x"]
    first, last = window["start"], window["start"] + window["length"]
    expected = spikes[(spikes > first) & (spikes <= last)] - first
    assert np.allclose(window["measured"], expected, atol=0.5)
    assert sum(output["isi"]["measured"]) == pytest.approx(1, abs=0.05)
    assert len(output["residual"]["measured"]) == len(output["residual"]["circuit"]) > 10
