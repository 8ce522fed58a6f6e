"""search.founders = ["inferred"]: a search on a recording begins with circuits that the recording suggests."""

import pytest

import circuits
import evo
from evo.spec.inferred import rounds_of
from evo.spec.run_spec import parse
from fitness.recordings.inference import infer, posterior, projection
from fitness.recordings.inference.fit import anneal
from fitness.recordings.inference.tune import Effort
from tests.bench.hidden import hidden, to_csv
from tests.evo.tiny import SPEC, one_line_of, spec_file

RECORDING = """
[task]
name = "recording"
file = "cell.csv"
window_ms = 280.0
lead_in_ms = 200.0

[circuit]
neurons = [2, 3]
delay_ms = [0.5, 12.0]
excitatory_weight_mv = [1.0, 100.0]
inhibitory_weight_mv = [1.0, 100.0]

[circuit.parameters]
tau_m_ms = [2.0, 40.0]
tau_syn_e_ms = [1.0, 20.0]
t_ref_ms = [0.5, 8.0]

[search]
generations = 2
population = 12
islands = 1
epoch = 2
trials = 8
held_out = 4
objectives = ["score", "size"]
founders = ["inferred:1"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("inferred")
    recording = hidden(3, neurons=2, recorded=2, seconds=8.0).recording
    (found / "cell.csv").write_text(to_csv(recording), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def run(folder):
    with pytest.MonkeyPatch.context() as patch:
        few = {"VISIBLE": 1, "HOPS": 1, "SAMPLED": 1}
        few |= {"BRIEF": Effort(0.05, 20, 100, 0.01), "LONG": (Effort(0.05, 20, 100, 0.01),)}
        for name, value in few.items():
            patch.setattr(infer, name, value)
        for name, value in {"DRAWN": 10, "TURNS": ((1, (0.1, 0.1, 4, 2)),), "LAST": (1, (0.1, 0.1, 4, 2))}.items():
            patch.setattr(projection, name, value)
        patch.setattr(posterior, "TURNS", posterior.EVERY)
        patch.setattr(infer, "anneal", lambda network, steps, *rest, **options: anneal(network, steps // 8, *rest, **options))
        return evo.run(spec_file(folder, RECORDING), folder / "run", workers=0)


@pytest.mark.long
def test_inferred_circuits_are_kept_with_the_run(run):
    names = run.spec.search.founders
    assert names
    assert all(name.startswith("founders/inferred-") for name in names)
    assert run.founders[0]["name"] == "inferred-1"
    assert circuits.load(run.folder / names[0]).inputs[0].name == "a"
    assert max(member.score for member in run.front) > 0.5  # a random circuit has about 0


@pytest.mark.long
def test_whoever_runs_the_spec_of_the_folder_needs_no_inference(run, tmp_path, monkeypatch):
    monkeypatch.setattr(infer, "_visible", None)
    again = evo.run(run.folder / "run.toml", tmp_path / "again", workers=0)
    assert again.archive_sha256 == run.archive_sha256


def test_only_a_recording_tells_what_to_infer(tmp_path):
    path = spec_file(tmp_path, SPEC.replace("[search]", '[search]\nfounders = ["inferred"]'))
    message = one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))
    assert "search.founders: inferred: " in message
    assert "recording" in message
    assert not (tmp_path / "run" / "run.toml").exists()


def test_other_neurons_are_not_inferred(folder, tmp_path):
    text = RECORDING.replace("[circuit]", '[circuit]\nneuron_model = "alif_psc_exp"', 1)
    message = one_line_of(lambda: evo.run(spec_file(folder, text), tmp_path / "run", workers=0))
    assert "search.founders: inferred:1: " in message
    assert "lif_psc_exp" in message


def test_the_number_of_rounds_is_checked(folder, tmp_path):
    text = RECORDING.replace("inferred:1", "inferred:many")
    message = one_line_of(lambda: evo.run(spec_file(folder, text), tmp_path / "run", workers=0))
    assert "search.founders: inferred:many: " in message
    assert "rounds" in message
    assert (rounds_of("inferred"), rounds_of("inferred:7"), rounds_of("zoo:gate-3")) == (4, 7, None)


def test_a_spec_may_name_other_founders_beside(folder):
    assert parse(RECORDING.replace('"inferred:1"', '"mine.json", "inferred"')).search.founders == ("mine.json", "inferred")
