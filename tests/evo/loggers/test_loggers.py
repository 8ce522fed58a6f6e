"""Logging elsewhere: skipped where the packages, which are extras, are not installed."""

import pytest

import evo
from evo import loggers
from evo.spec.run_spec import read
from tests.evo.tiny import cli, machine_line_of, spec_file, stops_after


def logged(tmp_path, where, observe=None):
    """A tiny run that is logged; its epochs."""
    path = spec_file(tmp_path)
    with loggers.opened(where, read(path)[0], "run") as log:

        def both(result):
            log(result)
            if observe:
                observe(result)

        evo.run(path, tmp_path / "run", workers=0, observe=both)


def test_tensorboard_gets_every_generation_of_every_island(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    logged(tmp_path, f"tensorboard:{tmp_path / 'logs'}")
    found = accumulator.EventAccumulator(str(tmp_path / "logs" / "run"))
    found.Reload()
    run = evo.open_run(tmp_path / "run")
    for island in range(3):
        log = [row for e in run.epochs if e["island"] == island for row in e["log"]]
        events = found.Tensors(f"island_{island}/best")
        assert [e.step for e in events] == [row["generation"] for row in log]
        assert [e.tensor_proto.float_val[0] for e in events] == pytest.approx([row["best"] for row in log])
    assert "island_0/objective_energy" in found.Tags()["tensors"]


@pytest.mark.slow
def test_a_resumed_run_goes_on_in_the_same_mlflow_run(tmp_path):
    mlflow = pytest.importorskip("mlflow.tracking")
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")
    place = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with pytest.raises(KeyboardInterrupt):
        logged(tmp_path, f"mlflow:{place}", stops_after(2))
    spec = evo.open_run(tmp_path / "run").spec
    with loggers.opened(f"mlflow:{place}", spec, "run") as log:
        run = evo.resume(tmp_path / "run", workers=0, observe=log)
    client = mlflow.MlflowClient(place)
    (found,) = client.search_runs([client.get_experiment_by_name("evocircuits").experiment_id])
    assert found.info.run_name == "run"
    assert found.data.params["search.seed"] == "3"
    log = [row for e in run.epochs if e["island"] == 1 for row in e["log"]]
    history = client.get_metric_history(found.info.run_id, "island_1/best")
    assert [(m.step, m.value) for m in history] == [(row["generation"], pytest.approx(row["best"])) for row in log]


@pytest.mark.parametrize("where", ["tensorboard", "tensorboard:", "wandb:x", ":x"])
def test_an_unknown_logger_is_one_line(tmp_path, where):
    spec_file(tmp_path)
    done = cli(tmp_path, "run", "tiny.toml", "--log", where)
    assert done.returncode == 2
    assert done.stderr.startswith(f"evo: --log {where}: write tensorboard: and a folder, or mlflow:")
    assert not (tmp_path / "runs").exists()


def test_a_missing_package_is_one_line_with_the_remedy(tmp_path, monkeypatch):
    import sys

    spec = read(spec_file(tmp_path))[0]
    for module, extra in (("tensorboard.summary", "tensorboard"), ("mlflow.entities", "mlflow")):
        monkeypatch.setitem(sys.modules, module, None)

        def opened(where=f"{extra}:x"):
            with loggers.opened(where, spec, "run"):
                pass

        assert f"pip install 'evocircuits[{extra}]'" in machine_line_of(opened)


def test_a_place_that_cannot_be_is_one_line(tmp_path):
    pytest.importorskip("tensorboard.summary")
    (tmp_path / "file").write_text("")
    spec = read(spec_file(tmp_path))[0]

    def opened():
        with loggers.opened(f"tensorboard:{tmp_path / 'file'}", spec, "run"):
            pass

    assert "cannot be written" in machine_line_of(opened)
