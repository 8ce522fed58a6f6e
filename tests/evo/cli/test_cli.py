import json
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import circuits
import evo
from evo.algorithms import ALGORITHMS, DEFAULT
from evo.spec.run_spec import read
from fitness.evaluation.objectives import OBJECTIVES
from fitness.tasks import BUILT_IN
from tests.evo.tiny import SPEC, cli, environment, own_task_spec, process, spec_file, started, stored, wait_until
from tests.products import some_of

COMMANDS = (
    "run",
    "resume",
    "status",
    "study",
    "inspect",
    "export",
    "listen",
    "tasks",
    "objectives",
    "algorithms",
    "models",
    "new",
    "warmup",
    "motifs",
    "zoo",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the tiny spec and a finished run of it, made by the command."""
    folder = tmp_path_factory.mktemp("cli")
    spec_file(folder)
    done = cli(folder, "run", "tiny.toml", "--out", "done", "--workers", "0")
    assert done.returncode == 0, done.stderr
    (folder / "run.stdout").write_text(done.stdout)
    (folder / "run.stderr").write_text(done.stderr)
    return folder


def refused(cwd, code, *arguments):
    """The one line on stderr of a command that ends with this exit code."""
    done = cli(cwd, *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("evo: ")
    return done.stderr


def test_run_says_what_it_does_and_how_it_ended(place):
    text = (place / "run.stdout").read_text()
    assert (place / "run.stderr").read_text() == ""
    for part in ("task gate, run folder done", "generation 6/6", "best held-out score", "evo inspect done"):
        assert part in text
    assert (place / "done" / "report.html").exists()


def test_piped_output_has_no_escape_codes(place):
    texts = [(place / "run.stdout").read_text()]
    for arguments in (("status", "done"), ("inspect", "done"), ("tasks",), ("tasks", "itd"), ("--help",)):
        done = cli(place, *arguments)
        assert done.returncode == 0, done.stderr
        texts += [done.stdout, done.stderr]
    assert not any("\x1b" in text or "\r" in text for text in texts)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(place, command):
    done = cli(place, command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"Usage: evo {command} ")
    assert cli(place, command, "-h").stdout == done.stdout


def test_help_lists_every_command_and_version_is_told(place):
    for arguments in ((), ("--help",)):
        text = cli(place, *arguments).stdout
        assert all(f"  {command} " in text for command in COMMANDS)
    assert cli(place, "--version").stdout.startswith("evo")


def test_status_for_machines(place):
    facts = json.loads(cli(place, "status", "done", "--json").stdout)
    assert {"state", "generation", "evaluations", "archive_sha256"} <= set(facts)
    assert facts["state"] == "finished"
    assert facts["generation"] == 6
    assert facts["evaluations"] == 252
    assert facts["archive_sha256"] == evo.open_run(place / "done").archive_sha256


def test_status_for_people(place):
    line = cli(place, "status", "done").stdout
    assert line.startswith("done: finished, generation 6 of 6, 252 evaluations, best held-out score ")


def test_inspect_for_machines_has_the_documented_shape(place):
    found = json.loads(cli(place, "inspect", "done", "--json").stdout)
    assert set(found) == {"run", "front"}
    run = evo.open_run(place / "done")
    assert found["run"]["archive_sha256"] == run.archive_sha256
    assert len(found["front"]) == len(run.front) > 0
    wanted = {"rank", "score", "held_out", "objectives", "e", "i", "synapses", "spikes", "motif"}
    for rank, member in enumerate(found["front"]):
        assert wanted <= set(member)
        assert member["rank"] == rank
        assert set(member["objectives"]) == {"score", "energy", "wiring"}
        motif = circuits.motif_file.loads(json.dumps(member["motif"]))
        assert motif == run.motif(rank)
        assert member["e"] + member["i"] == len(motif.neurons)
        assert member["synapses"] == motif.synapse_count == member["objectives"]["wiring"]
    scores = [member["held_out"] for member in found["front"]]
    assert scores == sorted(scores, reverse=True)


def test_inspect_for_people_and_as_a_page(place):
    table = cli(place, "inspect", "done").stdout
    assert "held out" in table
    done = cli(place, "inspect", "done", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    page = (place / "page.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script src" not in page
    assert done.stderr == ""


def test_export_lists_its_targets(place):
    from circuits.export import TARGETS

    listed = cli(place, "export", "--help").stdout
    assert [name for name in TARGETS if f"\n  {name} " in listed] == list(TARGETS)


def test_export_says_what_becomes_of_each_feature_beside_the_path(place):
    done = cli(place, "export", "done", "--to", "nest", "-o", "for-nest")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "for-nest\n"
    assert "neurons" in done.stderr
    assert "exact" in done.stderr
    check = json.loads((place / "for-nest" / "export.json").read_text())["checks"][-1]
    assert done.stderr.splitlines()[-1] == check.replace("check with: ", "check with: cd for-nest && ")


def test_export_writes_a_motif_that_loads_and_inspects(place):
    done = cli(place, "export", "done", "--to", "motif")
    assert done.returncode == 0, done.stderr
    path = place / done.stdout.strip()
    assert circuits.load(path) == evo.open_run(place / "done").motif(0)
    assert path == place / "done" / "motifs" / "rank0.json"
    assert cli(place, "inspect", path).returncode == 0
    assert set(json.loads(cli(place, "inspect", path, "--json").stdout)) == {"motif"}
    out = cli(place, "export", path, "--to", "motif", "-o", "again.json")
    assert (place / out.stdout.strip()).read_text() == path.read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("run", "absent.toml"), ["absent.toml", "no such file"]),
        (("run", "tiny.toml", "--out", "done"), ["done: already holds a run", "evo resume done"]),
        (("run", "tiny.toml", "--workers", "many"), ["--workers", "many"]),
        (("run", "tiny.toml", "--workers", "-1"), ["--workers", "-1"]),
        (("run", "tiny.toml", "--seed", "x"), ["--seed", "'x'"]),
        (("run", "tiny.toml", "--seed", "-1"), ["tiny.toml", "search.seed", "-1"]),
        (("run", "tiny.toml", "--generations", "0"), ["tiny.toml", "search.generations"]),
        (("run",), ["SPEC.toml"]),
        (("run", "tiny.toml", "extra"), ["extra"]),
        (("run", "tiny.toml", "--speed", "9"), ["--speed"]),
        (("run", "broken.toml"), ["broken.toml", "search.sed", "did you mean seed?"]),
        (("run", "own.toml"), ["own.toml", "absent.py"]),
        (("resume", "absent"), ["absent"]),
        (("resume", "empty"), ["empty: holds no run"]),
        (("status", "absent"), ["absent: there is no such folder"]),
        (("status", "empty"), ["empty: holds no run"]),
        (("status", "tiny.toml"), ["tiny.toml"]),
        (("inspect", "absent.json"), ["absent.json: there is no such file"]),
        (("inspect", "empty"), ["empty: holds no run"]),
        (("inspect", "tiny.toml"), ["tiny.toml: not a motif file"]),
        (("export", "done"), ["--to"]),
        (("export", "done", "--to", "brain"), ["brain", "motif", "torch", "nest", "brian2", "sonata", "nir", "graphml"]),
        (("export", "done", "--to", "motif", "--rank", "99"), ["done: there is no rank 99"]),
        (("export", "done", "--to", "motif", "--rank", "-1"), ["-1"]),
        (("motifs",), ["DIR..."]),
        (("motifs", "done", "absent"), ["absent: there is no such folder"]),
        (("motifs", "empty"), ["empty: holds no run"]),
        (("motifs", "done", "-o", "motifs.doc"), ["motifs.doc: cannot be drawn", "doc"]),
        (("tasks", "vision"), ["there is no task 'vision'", "itd"]),
        (("tasks", "gate", "-o", "gate.doc"), ["gate.doc: cannot be drawn", "doc"]),
        (("evolve",), ["evolve"]),
    ],
)
def test_a_users_error_is_one_line_and_exit_code_2(place, arguments, named):
    (place / "empty").mkdir(exist_ok=True)
    (place / "broken.toml").write_text(SPEC.replace("seed = 3", "sed = 3"))
    (place / "own.toml").write_text(SPEC.replace('"gate"\nvolleys = 1', '"absent.py:Task"'))
    line = refused(place, 2, *arguments)
    for part in named:
        assert part in line


def test_a_task_of_ones_own_that_fails_is_one_line(tmp_path):
    own_task_spec(tmp_path)
    path = tmp_path / "agree.py"
    path.write_text(path.read_text().replace("return fired == trials.labels", "return np.full(fired.shape, np.nan)"))
    line = refused(tmp_path, 2, "run", "tiny.toml", "--out", "run", "--workers", "0").replace("\n", "")
    assert "task Agree: trial_scores is not finite in trial" in line


# -- tasks shown


def test_every_task_is_listed_and_explained_with_trials_drawn(place):
    listed = cli(place, "tasks").stdout.splitlines()
    assert {line.split()[0] for line in listed[:-3]} == {*BUILT_IN, "learning"}
    assert all(len(line) <= 100 for line in listed)
    text = cli(place, "tasks", "gate").stdout
    for part in (
        "Pouille and Scanziani",
        "Inputs:",
        "Chance:",
        "volleys = 3",
        "Example, class 1:",
        "control",
        "> out",
        "210 ms",
    ):
        assert part in text
    assert re.search(
        r"reference circuit, which scores 0\.9\d\d \(95 %: 0\.\d+ to [01]\.\d+\)\nwithout .* it scores 0\.\d", text
    )


@pytest.mark.parametrize(("task", "file"), [("gate", "gate.svg"), ("phonotaxis", "walks.png")])
def test_example_trials_are_drawn_to_a_file(place, task, file):
    done = cli(place, "tasks", task, "-o", file)
    assert done.stdout.strip() == file, done.stderr
    assert (place / file).stat().st_size > 5_000


def test_objectives_are_listed(place):
    assert [line.split()[0] for line in cli(place, "objectives").stdout.splitlines()] == list(OBJECTIVES)


def test_algorithms_are_listed(place):
    lines = cli(place, "algorithms").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ALGORITHMS)
    assert [line.endswith("(the default)") for line in lines] == [name == DEFAULT for name in ALGORITHMS]


def test_warmup_compiles_for_the_spec_itself_where_its_task_ships(tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr("evo.cluster.warm_up.warm_up", lambda spec, source: compiled.append((spec.task["name"], source)))
    gate, file, learned = spec_file(tmp_path), tmp_path / "file.toml", tmp_path / "learned.toml"
    file.write_text('[task]\nname = "dataset"\nfile = "data.csv"\n')
    learned.write_text('[task]\nname = "learning"\n')
    for path in (gate, file, learned):
        assert cli(tmp_path, "warmup", str(path)).stdout == "compiled\n"
    assert compiled == [("gate", None), ("coincidence", None), ("coincidence", None)]


# -- a task file is executed by run and resume alone, and they say so


def test_a_task_file_is_executed_by_run_and_resume_alone_and_they_say_so(tmp_path):
    own_task_spec(tmp_path)
    done = cli(tmp_path, "run", "tiny.toml", "--out", "run", "--workers", "0")
    assert "runs the code in agree.py" in done.stdout
    done = cli(tmp_path, "resume", "run", "--workers", "0")
    assert done.returncode == 0, done.stderr
    assert "runs the code in agree.py" in done.stdout
    trap = tmp_path / "trap"
    for file in (tmp_path / "agree.py", tmp_path / "run" / "agree.py"):
        file.write_text(f"open({str(trap)!r}, 'w')\n" + file.read_text())
    others = [("status", "run"), ("inspect", "run"), ("inspect", "run", "--html"), ("inspect", "run", "--json")]
    for arguments in (*others, ("export", "run", "--to", "motif"), ("warmup", "tiny.toml")):
        done = cli(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
    assert not trap.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    "address", some_of(["127.0.0.1:1", "ray://127.0.0.1:1", "no.such.host.invalid:6379"], few=["127.0.0.1:1"])
)
def test_an_address_without_ray_fails_in_seconds_with_exit_code_1(tmp_path, address):
    spec_file(tmp_path)
    start = time.monotonic()
    done = process(tmp_path, "run", "tiny.toml", "--out", "run", "--address", address)
    assert time.monotonic() - start < 25
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"no Ray at {address}" in done.stderr
    assert "ray start --head" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_code_1(tmp_path):
    spec_file(tmp_path)
    (tmp_path / "file").write_text("")
    line = refused(tmp_path, 1, "run", "tiny.toml", "--out", "file/run", "--workers", "0")
    assert "file/run" in line
    assert "cannot be written" in line


@pytest.mark.parametrize(("version", "named"), [(99, "newer evocircuits"), (3, "written by an older evocircuits (0.3)")])
def test_a_store_of_another_version_is_one_line_and_exit_code_2(tmp_path, version, named):
    folder = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0).folder
    with sqlite3.connect(folder / "run.db") as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    for command in ("status", "resume", "inspect"):
        assert named in refused(tmp_path, 2, command, "run")


@pytest.mark.long
def test_a_reader_that_goes_away_is_no_error(place):
    done = subprocess.run(
        f"{sys.executable} -m evo.cli inspect done --json | head -c 1", shell=True, cwd=place, env=environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The archive of a run that takes a while."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return evo.run(spec_file(folder, generations=30), folder / "run", workers=0).archive_sha256


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "in_background"), some_of([("SIGINT", False), ("SIGTERM", True), ("SIGTERM", False)], few=[("SIGTERM", True)])
)
def test_a_signal_stops_a_run_cleanly_and_resume_ends_in_the_same_archive(undisturbed, tmp_path, name, in_background):
    spec_file(tmp_path, generations=30)
    # what a script starts in the background ignores Ctrl-C
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if in_background else signal.default_int_handler)
    running = started(tmp_path, "run", "tiny.toml", "--out", "run", "--workers", "0")
    signal.signal(signal.SIGINT, before)
    wait_until(lambda: (tmp_path / "run" / "run.db").exists() and len(stored(tmp_path / "run")) > 5, running)
    assert evo.open_run(tmp_path / "run").state == "running"
    start = time.monotonic()
    running.send_signal(getattr(signal, name))
    out, err = running.communicate(timeout=20)
    assert time.monotonic() - start < 15
    assert running.returncode == 130, err
    assert err.splitlines() == ["stopped; everything finished is stored. Go on with: evo resume run"]
    assert "Traceback" not in out
    status = cli(tmp_path, "status", "run").stdout
    assert "run: stopped, generation" in status
    assert "evo resume run" in status
    done = cli(tmp_path, "resume", "run", "--workers", "0")
    assert done.returncode == 0, done.stderr
    assert evo.open_run(tmp_path / "run").archive_sha256 == undisturbed


def test_the_run_folder_goes_to_runs_by_default(tmp_path):
    spec_file(tmp_path)
    done = cli(tmp_path, "run", "tiny.toml", "--workers", "0", "--generations", "1", "--seed", "8")
    assert done.returncode == 0, done.stderr
    run = evo.open_run(tmp_path / "runs" / "tiny-1")
    assert (run.spec.search.generations, run.spec.search.seed) == (1, 8)


def test_models_are_listed_and_explained_with_equations_and_ranges(place):
    listed = cli(place, "models").stdout
    for name in [*circuits.neurons.MODELS, *circuits.synapses.MODELS]:
        assert f"\n{name} " in f"\n{listed}"
    explained = cli(place, "models", "aeif_psc_exp").stdout
    assert "tau_w dw/dt = a (V - v_rest) - w" in explained
    assert "delta_t_mv      2       0.1 to 100" in explained.replace("        0.1", "       0.1")
    assert "lif_psc_exp" in refused(place, 2, "models", "hodgkin")


def test_a_new_spec_for_other_models_is_valid_and_holds_their_parameters(place):
    done = cli(place, "new", "gate", "--neurons", "izhikevich", "--synapses", "stdp", "-o", "new.toml")
    assert done.returncode == 0, done.stderr
    text = (place / "new.toml").read_text()
    assert "b_per_ms = 0.2" in text
    assert "a_plus = 0.01" in text
    assert read(place / "new.toml")[0].circuit.neuron_model == "izhikevich"
    assert "short_term" in refused(place, 2, "new", "gate", "--synapses", "long_term")


def test_status_says_what_giving_up_hopeless_circuits_saved(place):
    facts = json.loads(cli(place, "status", "done", "--json").stdout)
    assert 0 <= facts["saved_share"] < 1
    assert evo.open_run(place / "done").saved == facts["saved_share"]
