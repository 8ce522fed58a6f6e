"""The table of runs, and what changes in it."""

import shutil
from contextlib import suppress

import evo
from evo.storage import lock
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE
from evo.web.questions import Lab
from tests.evo.tiny import spec_file, stops_after
from tests.evo.web.conftest import refused


def rows(lab, since=0):
    return {row["name"]: row for row in lab.answer("runs", {"since": since})["rows"]}


def test_a_row_says_what_the_run_says(shared, made):
    row, run = rows(shared)["gate-3"], evo.open_run(made / "gate-3")
    assert (row["state"], row["task"], row["evaluations"]) == (run.state, "gate", run.evaluations)
    assert (row["best"], row["low"], row["high"]) == (run.front[0].held_out, run.front[0].low, run.front[0].high)
    assert row["seconds"] == run.progress.elapsed
    assert row["front"] == len(run.front)


def test_settings_that_differ_from_most_are_named(folder):
    shutil.copytree(folder / "gate-3", folder / "again")
    lab = Lab(folder)
    lab.runs.look()
    found = rows(lab)
    assert found["gate-4"]["differs"] == {"search.seed": 4}
    assert found["gate-3"]["differs"] == found["again"]["differs"] == {}


def test_only_what_has_changed_is_told_again(lab, folder):
    version = lab.answer("runs", {})["version"]
    lab.runs.look()
    assert rows(lab, version) == {}
    shutil.copytree(folder / "gate-3", folder / "below" / "deeper")
    shutil.rmtree(folder / "gate-4")
    lab.runs.look()
    told = lab.answer("runs", {"since": version})
    assert [row["name"] for row in told["rows"]] == ["below/deeper"]
    assert told["gone"] == ["gate-4"]


def test_runs_that_rest_are_not_read_again(lab, monkeypatch):
    opened = []
    monkeypatch.setattr(Store, "open", classmethod(lambda *a, **k: opened.append(a)))
    lab.runs.look()
    assert not opened


def test_a_run_that_goes_on_is_seen_running_and_then_stopped(lab, folder, tmp_path):
    with lock.alone(folder / "gate-3" / SPEC):
        lab.runs.look()
        assert rows(lab)["gate-3"]["state"] == "running"
    lab.runs.look(everything=False)
    assert rows(lab)["gate-3"]["state"] == "finished"
    with suppress(KeyboardInterrupt):
        evo.run(spec_file(tmp_path, generations=6), folder / "cut", workers=0, observe=stops_after(3))
    lab.runs.look()
    assert rows(lab)["cut"]["state"] == "stopped"
    before = rows(lab)["cut"]["evaluations"]
    evo.resume(folder / "cut", workers=0)
    lab.runs.look()
    after = rows(lab)["cut"]
    assert after["state"] == "finished"
    assert after["evaluations"] > before


def test_a_damaged_run_is_a_row_that_says_so(lab, folder):
    (folder / "gate-3" / STORE).write_bytes(b"no store")
    (folder / "gate-4" / STORE).unlink()
    lab.runs.look()
    found = rows(lab)
    assert found["gate-3"]["state"] == "unreadable"
    assert "run.db" in found["gate-3"]["error"]
    assert found["gate-4"]["state"] == "starting"


def test_no_folder_but_a_run_below_the_labs_is_ever_opened(lab, folder, tmp_path):
    outside = shutil.copytree(folder / "gate-3", tmp_path / "outside")
    (folder / "link").symlink_to(outside)
    lab.runs.look()
    for name in ("../outside", str(outside), "link", "gate-3/..", "", None, 1, [], "gate-3\0", "."):
        for question, key in (("run", "name"), ("resume", "name"), ("stop", "name"), ("fork", "run"), ("allow", "run")):
            assert "there is no run" in refused(lab, question, {key: name})[0]


def test_a_folder_that_is_a_run_is_shown_alone(made):
    lab = Lab(made / "gate-3")
    lab.runs.look()
    assert list(rows(lab)) == ["."]
    assert lab.answer("run", {"name": "."})["title"] == "gate-3"


def test_a_run_deleted_while_it_is_open_gives_one_line(lab, folder):
    lab.answer("run", {"name": "gate-3"})
    shutil.rmtree(folder / "gate-3")
    assert "gate-3" in refused(lab, "run", {"name": "gate-3"})[0]


def test_the_view_of_a_run_is_its_page_circuit_by_circuit(shared, made):
    from evo.inspect.page import page_data

    run = evo.open_run(made / "gate-3")
    view, page = shared.answer("run", {"name": "gate-3"}), page_data.of_run(run)
    for key in ("task", "trials", "model", "run", "course", "objectives"):
        assert view[key] == page[key], key
    assert [{k: v for k, v in m.items() if k != "id"} for m in view["members"]] == page["members"]
    assert len({m["id"] for m in view["members"]}) == len(run.front)
    for rank in (0, len(run.front) - 1):
        said = {"name": "gate-3", "id": view["members"][rank]["id"]}
        one = shared.answer("circuit", said) | shared.answer("lineage", said)
        assert page_data.packed(one) == page["packed"][rank]


def test_a_circuit_that_has_left_the_front_is_said_to_have(shared):
    assert "has left the front" in refused(shared, "circuit", {"name": "gate-3", "id": "0" * 12})[0]


def test_runs_side_by_side_are_those_of_evo_compare(shared, made):
    from evo.inspect.terminal import comparison
    from evo.studies.compare import compare

    names = ["gate-3", "gate-4"]
    found = shared.answer("compare", {"runs": names})
    assert found["comparison"] == comparison.as_json(compare([made / name for name in names]))
    assert [one["name"] for one in found["runs"]] == names
    for one in found["runs"]:
        assert one["course"]["evaluations"][-1] == evo.open_run(made / one["name"]).evaluations
        assert one["course"]["best"] == sorted(one["course"]["best"])
    assert "is named twice" in refused(shared, "compare", {"runs": ["gate-3", "gate-3"]})[0]
    assert "choose 1 to" in refused(shared, "compare", {"runs": []})[0]
