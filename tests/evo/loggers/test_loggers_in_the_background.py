"""A logger never ends a run and never holds one up, and what was missed while its place was away is logged later."""

import errno
import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO
from urllib.parse import parse_qs, urlparse

import pytest

import evo
from evo import loggers
from evo.engine.epochs import Result
from evo.loggers import background
from evo.loggers.background import Background
from evo.spec.run_spec import read
from tests.evo.tiny import spec_file, stored


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(background, "RETRY_S", 0.01)
    monkeypatch.setattr(background, "LONGEST_S", 0.05)


class Place:
    """A place that can be away, or never answer, or fail after it has taken what it got."""

    patience = 0.0

    def __init__(self, away=False, hangs=None, loses_answers=0):
        self.away, self.hangs, self.loses_answers = away, hangs, loses_answers
        self.rows, self.status, self.asked = [], None, 0

    def prepare(self):
        pass

    def connect(self):
        self._answer()
        return bool(self.rows)

    def reached(self, island):
        return max((generation for i, generation in self.rows if i == island), default=-1)

    def write(self, rows):
        self._answer()
        self.rows += [(row.island, row.generation) for row in rows]
        self.loses_answers -= 1
        if self.loses_answers >= 0:
            raise TimeoutError("timed out")

    def close(self, status):
        self._answer()
        self.status = status

    def _answer(self):
        self.asked += 1
        if self.hangs:
            self.hangs.wait()
        if self.away:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return read(spec_file(tmp_path_factory.mktemp("spec")))[0]


NUMBERS = ("best", "median", "validation", "held_out", "archive", "evaluations", "simulated")


def epoch(number, island=0):
    """The result of an epoch of two generations."""
    log = [dict.fromkeys(NUMBERS, 1.0) | {"generation": 2 * number + k, "losses": [0.5, 1.0, 1.0]} for k in range(2)]
    return Result(island, number, b"", b"", log, {"total": 1.0})


def generations(epochs, island=0):
    return [(island, generation) for generation in range(2 * epochs)]


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_place_that_is_away_is_said_once_and_gets_everything_in_order_when_it_is_back(spec, caplog):
    place = Place(away=True)
    log = Background("mlflow:x", place, spec)
    for number in range(20):
        log(epoch(number))
    wait_for(lambda: place.asked > 3)
    place.away = False
    wait_for(lambda: len(place.rows) == 40)
    log.close("FINISHED")
    assert place.rows == generations(20)
    assert place.status == "FINISHED"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("mlflow:x: nothing can be logged (Connection refused); the run goes on")


def test_a_place_that_never_answers_costs_a_run_nothing_and_its_end_a_moment(spec, caplog, monkeypatch, tmp_path):
    monkeypatch.setattr(background, "END_S", 0.1)
    hangs = threading.Event()
    log = Background("mlflow:x", Place(hangs=hangs), spec, tmp_path)
    start = time.monotonic()
    for number in range(100):
        log(epoch(number))
    log.close("FINISHED")
    assert time.monotonic() - start < 2
    hangs.set()
    (said,) = (record.getMessage() for record in caplog.records)
    again = f"evo resume {tmp_path} --log mlflow:x"
    assert said == f"mlflow:x: nothing could be logged (it is too slow); {again} adds what is missing"


def test_from_where_on_generations_are_missing_is_said(spec, caplog):
    place = Place()
    log = Background("mlflow:x", place, spec)
    log(epoch(0))
    wait_for(lambda: place.rows == generations(1))
    place.away = True
    log(epoch(1))
    log(epoch(2))
    log.close("KILLED")
    assert "generations from 2 on are not logged (Connection refused)" in caplog.records[-1].getMessage()


def test_what_arrived_although_the_answer_was_lost_is_logged_once(spec):
    place = Place(loses_answers=3)
    log = Background("mlflow:x", place, spec)
    for number in range(20):
        log(epoch(number))
        log(epoch(number, island=1))
    wait_for(lambda: len(place.rows) >= 80)
    log.close("FINISHED")
    for island in range(2):
        assert [row for row in place.rows if row[0] == island] == generations(20, island)


def test_a_resumed_run_logs_what_the_place_lacks_and_nothing_twice(spec):
    place = Place()
    place.rows = generations(3)[:-1]  # cut off in the middle of an epoch
    before = [{"island": 0, "log": epoch(n).log, "timings": {"total": 1.0}} for n in range(5)]
    log = Background("mlflow:x", place, spec, before=before)
    log(epoch(5))
    log.close("FINISHED")
    assert place.rows == generations(6)


def test_what_is_too_much_to_keep_is_read_from_the_store_later(tmp_path, monkeypatch):
    monkeypatch.setattr(background, "QUEUE", 2)
    path, folder, place = spec_file(tmp_path), tmp_path / "run", Place(away=True)
    log = Background("mlflow:x", place, read(path)[0], folder)

    def observe(result):
        log(result)
        place.away = len(stored(folder)) < 7

    evo.run(path, folder, workers=0, observe=observe)
    log.close("FINISHED")
    for island in range(3):
        assert [generation for i, generation in place.rows if i == island] == list(range(7))


def test_a_full_disk_holds_up_tensorboard_only_until_there_is_room(tmp_path, spec, caplog):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from evo.loggers import tensorboard

    class Disk(FileIO):
        full = True

        def write(self, data):
            if not Disk.full:
                return super().write(data)
            super().write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    logger = tensorboard.Logger(str(tmp_path), spec, "run")
    logger._new_file = lambda: Disk(tmp_path / "run" / "events.out.tfevents.1.here", "x")
    log = Background("tensorboard:x", logger, spec)
    for number in range(4):
        log(epoch(number))
        wait_for(lambda: caplog.records)
    Disk.full = False
    log.close("FINISHED")
    found = accumulator.EventAccumulator(str(tmp_path / "run"))
    found.Reload()
    assert [event.step for event in found.Tensors("island_0/best")] == list(range(8))
    (said,) = (record.getMessage() for record in caplog.records)
    assert "No space left on device" in said


def test_tensorboard_goes_on_where_a_killed_process_was_cut_off(tmp_path, spec):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    before = [{"island": 0, "log": epoch(n).log, "timings": {"total": 1.0}} for n in range(3)]
    with loggers.opened(f"tensorboard:{tmp_path}", spec, "run") as log:
        log(epoch(0))
        log(epoch(1))
    (file,) = (tmp_path / "run").iterdir()
    file.write_bytes(file.read_bytes()[:-30])  # its last record is cut short
    with loggers.opened(f"tensorboard:{tmp_path}", spec, "run", before=before) as log:
        log(epoch(3))
    found = accumulator.EventAccumulator(str(tmp_path / "run"))
    found.Reload()
    assert [event.step for event in found.Tensors("island_0/best")] == list(range(8))


class Tracking(BaseHTTPRequestHandler):
    """As much of an MLflow tracking server as a run needs; it fails as often as `failures` says, after `after` batches."""

    runs: dict = {}
    metrics: list = []
    batches = failures = after = 0

    def log_message(self, *_):
        pass

    def answer(self):
        given = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        given |= {key: values[0] for key, values in parse_qs(urlparse(self.path).query).items()}
        code, body = 200, self.reply(urlparse(self.path).path.partition("/mlflow/")[2], given)
        if body is None:
            code, body = 500, {"error_code": "INTERNAL_ERROR", "message": "out of connections"}
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 - as http.server calls them

    def reply(self, what, given):
        server = type(self)
        if what == "experiments/get-by-name":
            return {"experiment": {"experiment_id": "1", "name": "evocircuits", "lifecycle_stage": "active"}}
        if what == "runs/search":
            return {"runs": list(server.runs.values())}
        if what == "runs/create":
            server.runs["r"] = {"info": {"run_id": "r", "experiment_id": "1", "status": "RUNNING"}, "data": {}}
        if what in ("runs/create", "runs/get", "runs/update"):
            return {"run": server.runs["r"], "run_info": server.runs["r"]["info"]}
        if what == "metrics/get-history":
            return {"metrics": [metric for metric in server.metrics if metric["key"] == given["metric_key"]]}
        if what == "runs/log-batch" and given.get("metrics"):
            server.batches += 1
            if server.batches > server.after and server.failures > 0:
                server.failures -= 1
                return None
            server.metrics += given["metrics"]
        return {}


@pytest.mark.long
def test_mlflow_gets_every_generation_once_from_a_server_that_fails_for_a_while_and_a_run_that_is_resumed(tmp_path, caplog):
    pytest.importorskip("mlflow.tracking")
    path, folder = spec_file(tmp_path), tmp_path / "run"
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Tracking,), {"failures": 3, "after": 1}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = f"mlflow:http://127.0.0.1:{server.server_port}"
    with caplog.at_level(logging.WARNING, "evo"), loggers.opened(where, read(path)[0], "run", folder) as log:
        evo.run(path, folder, workers=0, observe=log, generations=3)
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [f"{where}: nothing can be logged"]
    run = evo.open_run(folder)
    with loggers.opened(where, run.spec, "run", folder, run.epochs) as log:
        run = evo.resume(folder, workers=0, observe=log, generations=6)
    server.shutdown()
    for island in range(3):
        steps = [metric["step"] for metric in server.RequestHandlerClass.metrics if metric["key"] == f"island_{island}/best"]
        assert steps == [row["generation"] for e in run.epochs if e["island"] == island for row in e["log"]]


def test_a_run_that_is_stopped_before_it_has_a_folder_does_not_promise_one(tmp_path, capsys):
    from evo.cli.runs import _stopping

    with pytest.raises(SystemExit) as stopped, _stopping(tmp_path / "run"):
        raise KeyboardInterrupt
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "stopped before anything was stored\n"
