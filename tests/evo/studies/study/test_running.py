"""A study computes what its runs would have computed alone, however often it is stopped."""

import pytest

import evo
from circuits.errors import MachineError
from circuits.motif_file import save
from evo.running.study import Event, begin_study
from evo.storage.run_folder import read_spec
from fitness.judges.simulated import Simulated
from tests.evo.tiny import machine_line_of, one_line_of, own_task_spec, spec_file

pytestmark = pytest.mark.long

TINY = {"generations": 2, "epoch": 1, "islands": 2, "population": 8}


@pytest.fixture(autouse=True)
def no_analyses(monkeypatch):
    monkeypatch.setattr(Simulated, "analysed", 0)


def stops_after(count):
    seen = []

    def observe(event):
        seen.append(event)
        if len(seen) == count:
            raise KeyboardInterrupt

    return observe


def archives(study):
    return {run.run: run.archive_sha256 for run in study.runs}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def specs(folder):
    (folder / "own").mkdir()
    return {"gate": spec_file(folder, **TINY), "agree": own_task_spec(folder / "own", **TINY)}


@pytest.fixture(scope="module")
def alone(folder, specs):
    """The archives of the runs of the specs with two seeds, each run by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 0)
        return {
            f"{name}-{seed}": evo.run(spec, folder / f"{name}-{seed}", workers=0, seed=seed).archive_sha256
            for name, spec in specs.items()
            for seed in (1, 2)
        }


@pytest.mark.parametrize("stops", [(), (1,), (2, 3, 4), (5, 4)])
def test_an_interrupted_study_ends_in_the_archives_of_its_runs_alone(tmp_path, specs, alone, stops):
    begin_study(specs, tmp_path / "s", 2)
    for count in stops:
        with pytest.raises(KeyboardInterrupt):
            evo.resume_study(tmp_path / "s", workers=0, observe=stops_after(count))
        assert evo.open_study(tmp_path / "s").state == "stopped"
    done = evo.resume_study(tmp_path / "s", workers=0)
    assert done.state == "finished"
    assert archives(done) == alone
    assert {run.state for run in done.runs} == {"finished"}


def test_its_runs_are_ordinary_ones(tmp_path, specs, alone):
    study = evo.run_study(specs, tmp_path / "s", seeds=[2], workers=0)
    for run in study.runs:
        there = evo.open_run(tmp_path / "s" / run.run)
        assert there.state == "finished"
        assert evo.resume(there.folder, workers=0, generations=3).generation == 3
    assert "task" not in {path.name for path in (tmp_path / "s").iterdir()}


def test_on_ray_it_is_the_same(tmp_path, folder, specs, alone, on_ray):
    begin_study(specs, tmp_path / "s", 2)
    on_ray("resume_study", tmp_path / "s")
    assert archives(evo.open_study(tmp_path / "s")) == alone


def test_every_epoch_and_every_end_is_told(tmp_path, specs):
    events: list[Event] = []
    evo.run_study({"gate": specs["gate"]}, tmp_path / "s", seeds=2, workers=0, observe=events.append)
    assert [event.run for event in events] == ["gate-1"] * 5 + ["gate-2"] * 5  # 2 islands with 2 epochs each
    assert [event.result is None for event in events] == ([False] * 4 + [True]) * 2


def test_the_time_of_a_run_is_what_it_took_of_a_core(tmp_path, specs):
    study = evo.run_study({"gate": specs["gate"]}, tmp_path / "s", seeds=1, workers=0)
    run = evo.open_run(tmp_path / "s" / "gate-1")
    assert run.progress.elapsed == pytest.approx(study.runs[0].core_seconds, abs=1e-4)


def test_a_run_may_end_when_the_target_is_reached(tmp_path, specs):
    long = {"search.generations": ["50"]}
    study = evo.run_study({"gate": specs["gate"]}, tmp_path / "s", 2, long, workers=0, target=1e-6, until_target=True)
    assert study.state == "finished"
    assert {run.state for run in study.runs} == {"reached"}
    assert all(run.reached and run.generation < 50 for run in study.runs)
    before = archives(study)
    assert archives(evo.resume_study(tmp_path / "s", workers=0)) == before
    assert evo.open_run(tmp_path / "s" / "gate-1").state == "stopped"


def test_a_run_that_fails_ends_alone(tmp_path, specs):
    begin_study({"agree": specs["agree"]}, tmp_path / "s", 3)
    with pytest.raises(KeyboardInterrupt):
        evo.resume_study(tmp_path / "s", workers=0, observe=stops_after(6))  # in the second run
    (tmp_path / "s" / "agree-2" / "agree.py").write_text("1 / 0")
    events: list[Event] = []
    message = machine_line_of(lambda: evo.resume_study(tmp_path / "s", workers=0, observe=events.append))
    assert "agree-2 failed" in message
    assert "changed" in message
    assert [event.run for event in events if event.error is not None] == ["agree-2"]
    assert [run.state for run in evo.open_study(tmp_path / "s").runs] == ["finished", "stopped", "finished"]


def test_only_one_process_goes_on_with_it(tmp_path, specs):
    begin_study({"gate": specs["gate"]}, tmp_path / "s", 1)

    def observe(event):
        assert evo.open_study(tmp_path / "s").state == "running"
        with pytest.raises(MachineError, match="another process is running it"):
            evo.resume_study(tmp_path / "s", workers=0)

    evo.resume_study(tmp_path / "s", workers=0, observe=observe)


def test_a_study_stopped_while_it_was_made_is_made_anew(tmp_path, specs):
    (tmp_path / ".s.part" / "gate-1").mkdir(parents=True)
    begin_study({"gate": specs["gate"]}, tmp_path / "s", 1)
    assert not (tmp_path / ".s.part").exists()
    assert "holds no study" in one_line_of(lambda: evo.resume_study(tmp_path, workers=0))


def test_later_runs_take_code_and_founders_from_the_first(tmp_path, specs):
    own = own_task_spec(tmp_path, **TINY, founders='["first.json"]')
    found = evo.run(specs["agree"], tmp_path / "run", workers=0, seed=1)
    save(found.motif(0), tmp_path / "first.json")
    begin_study({"agree": own}, tmp_path / "s", 2)
    (tmp_path / "agree.py").unlink()
    (tmp_path / "first.json").unlink()
    study = evo.resume_study(tmp_path / "s", workers=0)
    assert study.state == "finished"
    first, second = (evo.open_run(tmp_path / "s" / f"agree-{seed}") for seed in (1, 2))
    assert first.founders == second.founders
    assert len(first.founders) == 1
    assert read_spec(second.folder).search.seed == 2
