"""What a search can be started from, in a script and on the command line."""

import numpy as np
import pytest

import evo
from circuits import zoo
from circuits.errors import UserError
from evo.spec.resolve import as_changes, resolve, shipped
from evo.spec.run_spec import RunSpec, parse
from evo.spec.starter import starter
from fitness.tasks import BUILT_IN
from tests.evo.tiny import ROOT, SPEC, one_line_of, own_task_spec, spec_file

SECTIONS = {
    "task": {"name": "gate", "volleys": np.int64(1)},
    "circuit": {"neurons": (3, 6), "in_degree": 4, "delay_ms": [0.5, 10.0], "parameters": {"tau_m_ms": (5.0, 30.0)}},
    "search": {
        "seed": 3,
        "generations": 6,
        "islands": 3,
        "population": 12,
        "epoch": 2,
        "trials": 16,
        "held_out": 16,
        "target": None,
    },
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """A working folder in which nothing of the repository lies."""
    monkeypatch.chdir(tmp_path)


def test_a_path_a_dict_and_a_spec_are_the_same_run(tmp_path):
    spec = parse(SPEC)
    for what in (spec_file(tmp_path), str(spec_file(tmp_path)), SECTIONS, spec):
        assert resolve(what).spec == spec
    assert resolve(SECTIONS).stem == "gate"
    assert resolve(spec_file(tmp_path)).stem == "tiny"


def test_the_name_of_a_task_is_its_starter_spec():
    assert resolve("itd") == (parse(starter("itd")), None, "itd", True)
    assert resolve("itd", seed=7).spec.search.seed == 7


@pytest.mark.parametrize("name", [*BUILT_IN, *sorted(path.stem for path in (ROOT / "runs" / "zoo").glob("*.toml"))])
def test_committed_specs_ship_word_for_word(name):
    path = f"runs/{name}.toml" if name in BUILT_IN else f"runs/zoo/{name}.toml"
    assert shipped(path) == (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUILT_IN)
def test_populations_begin_small_but_not_in_a_closed_loop_and_not_in_the_specs_of_version_0_4(name):
    now, before = (resolve(what).spec.search for what in (name, f"runs/zoo/{name}.toml"))
    assert (before.initial_population, before.population, before.growth) == (None, 200, "epochs")
    if name == "phonotaxis":
        assert now == before
    else:
        assert (now.initial_population, now.population, now.growth) == (50, 400, "stagnation")
        assert now.generations == before.generations + 30
        assert [objective for objective in now.objectives if objective != "worst"] == list(before.objectives)


@pytest.mark.parametrize("name", zoo)
def test_the_commands_on_a_card_find_their_spec_in_an_empty_folder(name):
    made = zoo.card(name).made
    words = zoo.card(name).commands[0].split()
    found = resolve(words[2], seed=int(words[words.index("--seed") + 1]))
    assert found.ships
    assert found.spec.digest() == made.spec_sha256
    assert resolve(f"zoo:{name}", seed=made.seed).spec == found.spec


def test_a_file_that_is_there_is_not_replaced_by_one_that_ships(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "gate.toml").write_text('[task]\nname = "xor"\n', encoding="utf-8")
    assert resolve("runs/gate.toml").spec.task["name"] == "xor"


@pytest.mark.parametrize(
    "what", [None, 3, b"itd", ["itd"], {"task": {"name": object()}}, {1: {}}, {}, {"task": "gate"}, "nowhere.toml", ""]
)
def test_anything_else_is_refused_in_one_line(what):
    one_line_of(lambda: evo.run(what))


def test_settings_are_those_of_fork_with_the_same_errors(tmp_path):
    changes = as_changes(["task.volleys=2", "search.algorithm = cma", "circuit.neurons=[3, 5]"])
    found = resolve(spec_file(tmp_path), changes).spec
    assert (found.task["volleys"], found.search.algorithm, found.circuit.neurons) == (2, "cma", (3, 5))
    assert "write KEY=VALUE" in one_line_of(lambda: as_changes(["task.volleys"]))
    for wrong in ("seed=3", "search.speed=3", "task.volleys=many"):
        one_line_of(lambda wrong=wrong: resolve(spec_file(tmp_path), as_changes([wrong])))


def test_a_run_from_a_dict_shows_its_progress_and_writes_its_page_when_asked(tmp_path, capsys):
    small = SECTIONS | {"search": SECTIONS["search"] | {"generations": 1, "epoch": 1, "islands": 1}}
    seen = []
    run = evo.run(small, tmp_path / "shown", workers=0, observe=seen.append, progress=True, page=True, seed=4)
    assert "generation 1/1" in capsys.readouterr().out
    assert len(seen) == len(run.epochs)
    assert (tmp_path / "shown" / "report.html").exists()
    quiet = evo.run(RunSpec.model_validate(run.spec.model_dump()), tmp_path / "quiet", workers=0)
    assert capsys.readouterr().out == ""
    assert quiet.archive_sha256 == run.archive_sha256
    assert not (tmp_path / "quiet" / "report.html").exists()
    with pytest.raises(UserError, match="progress"):
        evo.run(small, tmp_path / "third", progress="often")
    assert not (tmp_path / "third").exists()


def test_a_task_of_ones_own_is_sought_beside_the_spec(tmp_path):
    (tmp_path / "far").mkdir()
    path = own_task_spec(tmp_path / "far")
    assert [name for name, _ in resolve(path).source] == ["agree.py"]
    assert "cannot be read" in one_line_of(lambda: resolve({"task": {"name": "agree.py:Agree"}}))
