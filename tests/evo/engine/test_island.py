import copy
import json
import sqlite3
from io import BytesIO

import numpy as np
import pytest
import zstandard

import evo
from evo import genome
from evo.engine.codec import from_bytes, to_bytes
from evo.engine.epochs import _latest, compute, run_epoch
from evo.engine.evaluator import Evaluator, driven
from evo.engine.island import Migrants, State
from evo.engine.problem import problem
from evo.engine.stopwatch import Stopwatch
from evo.population.archive import merged as merged_archive
from evo.population.individual import outcome_of
from evo.spec.run_spec import parse
from tests.evo.tiny import SPEC, one_line_of, spec_file


@pytest.fixture(scope="module")
def here():
    return problem(parse(SPEC).model_dump_json(), None)


@pytest.fixture(scope="module")
def first(here):
    return run_epoch(here, 0, 0, None, None)


@pytest.fixture(scope="module")
def guests(here):
    return run_epoch(here, 1, 0, None, None).migrants(2)


def test_an_epoch_gives_the_same_bytes_however_often_it_runs(here, first, guests):
    assert to_bytes(run_epoch(here, 0, 0, None, None)) == to_bytes(first)
    after = to_bytes(run_epoch(here, 0, 1, first, guests))
    np.random.default_rng(0)
    np.random.seed(5)
    assert to_bytes(run_epoch(here, 0, 1, first, guests)) == after
    stored = from_bytes(State, to_bytes(first)), from_bytes(Migrants, to_bytes(guests))
    assert to_bytes(run_epoch(here, 0, 1, *stored)) == after
    fresh = type(here).of(here.spec, None)
    assert to_bytes(run_epoch(fresh, 0, 1, first, guests)) == after


def test_island_epoch_migrants_and_seed_all_matter(here, first, guests):
    after = to_bytes(run_epoch(here, 0, 1, first, guests))
    other_seed = problem(parse(SPEC, seed=4).model_dump_json(), None)
    assert to_bytes(run_epoch(here, 1, 1, first, guests)) != after
    assert to_bytes(run_epoch(here, 0, 2, first, guests)) != after
    assert to_bytes(run_epoch(here, 0, 1, first, None)) != after
    assert to_bytes(run_epoch(other_seed, 0, 1, first, guests)) != after


def test_an_epoch_leaves_its_inputs_and_the_global_random_state_alone(here, first, guests):
    import random

    before = copy.deepcopy((first, guests))
    states = random.getstate(), np.random.get_state()[1].tobytes()
    run_epoch(here, 0, 1, first, guests)
    assert to_bytes(first) == to_bytes(before[0])
    assert to_bytes(guests) == to_bytes(before[1])
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == states


def test_bytes_give_back_the_same_state(first, guests):
    for kind, value in ((State, first), (Migrants, guests)):
        again = from_bytes(kind, to_bytes(value))
        assert again._fields == value._fields
        for a, b in zip(again, value, strict=True):
            if isinstance(a, np.ndarray):
                assert a.dtype == b.dtype
                assert a.tobytes() == b.tobytes()
            else:
                assert a == b


def test_every_individual_is_valid_and_of_the_size_asked_for(here, first, guests):
    state = run_epoch(here, 0, 1, first, guests)
    assert len(state.population) == len(state.grades) == 12
    for individual in (*state.population, *state.archive):
        assert genome.faults(individual["genome"], here.encoding.bounds) == []
    assert [row["generation"] for row in first.log + state.log] == [0, 1, 2, 3, 4]


def test_no_member_of_the_archive_is_dominated_but_perhaps_the_one_that_did_best_on_validation_trials(here, first, guests):
    state = first
    for epoch in (1, 2):
        state = run_epoch(here, 0, epoch, state, guests)
        losses, validation = state.archive["losses"], state.archive["validation"]
        dominated = [((losses <= a).all(axis=1) & (losses < a).any(axis=1)).any() for a in losses]
        assert sum(dominated) <= 1
        assert not any(dominated) or validation[dominated] >= np.delete(validation, np.flatnonzero(dominated)).max()
        assert len(np.unique(losses, axis=0)) == len(losses)
        assert np.isfinite(state.archive["held_out"]).all()
    everyone = np.vstack([state.population["losses"]])
    best = state.archive["losses"][:, 0].min()
    assert best <= everyone[:, 0].min()  # whoever is best now is in the archive, or somebody better is


def test_the_one_that_did_best_on_validation_trials_stays_in_every_archive(here, first, guests):
    state, best = first, 0.0
    for epoch in range(1, 3):
        best = max(best, state.archive["validation"].max())
        merged = merged_archive([first.archive, state.archive], 3)
        assert len(merged) <= 3
        assert merged["validation"].max() == max(first.archive["validation"].max(), state.archive["validation"].max())
        state = run_epoch(here, 0, epoch, state, guests)
        assert state.archive["validation"].max() >= best


def test_the_best_score_never_falls(here, first):
    state, best = first, first.archive["losses"].min(axis=0)
    for epoch in range(1, 3):
        state = run_epoch(here, 0, epoch, state, None)
        assert (state.archive["losses"].min(axis=0) <= best).all()
        best = state.archive["losses"].min(axis=0)


def test_migrants_enter_the_population_when_they_are_good(here, first):
    one = first.population[:1].copy()
    one["losses"], one["island"] = -9.0, 7
    after = run_epoch(here, 0, 1, first, Migrants(one, np.ones((1, 16), "f4"), first.pedigree))
    assert 7 in after.population["island"]


def test_the_merged_archive_does_not_depend_on_the_order_of_the_islands(here, first, guests):
    archives = [first.archive, run_epoch(here, 1, 0, None, None).archive, run_epoch(here, 0, 1, first, guests).archive]
    merged = merged_archive(archives, 50)
    for order in ([2, 0, 1], [1, 2, 0], [2, 1, 0]):
        assert merged_archive([archives[k] for k in order], 50)["losses"].tobytes() == merged["losses"].tobytes()
        assert merged_archive([archives[k] for k in order], 50)["genome"].tobytes() == merged["genome"].tobytes()


@pytest.mark.parametrize("task", [{"name": "gate"}, {"name": "itd", "detectors": 2}, {"name": "order"}])
def test_search_validation_and_held_out_trials_have_none_in_common(task):
    spec = parse(SPEC).model_copy(update={"task": task})
    for seed in (0, 1, 2):
        search = spec.search.model_copy(update={"seed": seed, "trials": 64, "held_out": 256})
        here = problem(spec.model_copy(update={"search": search}).model_dump_json(), None)
        sets = [
            {trial.tobytes() for trial in trials.spikes}
            for trials in (here.judge.search, here.judge.validation, here.judge.held_out)
        ]
        assert len(set.union(*sets)) == sum(map(len, sets))


def test_states_of_earlier_versions_are_still_read(first):
    buffer = BytesIO()
    log = np.frombuffer(json.dumps(first.log).encode(), "u1")
    np.savez(buffer, **first._asdict() | {"log": log})
    for stored in (buffer.getvalue(), zstandard.ZstdCompressor().compress(buffer.getvalue())):
        assert to_bytes(from_bytes(State, stored)) == to_bytes(first)


def test_an_epoch_is_the_same_whether_the_state_before_is_remembered_or_read():
    text = parse(SPEC).model_dump_json()
    first, sent, _ = compute(text, None, 0, 0, None, None)
    again = [compute(text, None, 0, 1, first, sent)[:2] for _ in range(2)]
    _latest.clear()
    again.append(compute(text, None, 0, 1, first, sent)[:2])
    assert again[0] == again[1] == again[2]


def test_of_what_was_tried_in_an_epoch_no_genomes_are_kept(here):
    evaluator = Evaluator(outcome_of(here.spec.search), 0, Stopwatch())

    def answer(request):
        return here.judge.evaluate(here.candidates(request.genomes))

    population, _ = driven(evaluator.evaluated(here.toolbox.init(10, np.random.default_rng(0)), 0), answer)
    again, counts = driven(evaluator.evaluated(population.genomes, 1), answer)
    assert counts["repeats"] == 10
    assert again.case_scores.tobytes() == population.case_scores.tobytes()
    assert all(kept.dtype.names is None or "genome" not in kept.dtype.names for part in evaluator.known for kept in part)


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def with_pickle(state, path):
    buffer = BytesIO()
    fields = {name: getattr(state, name) for name in ("grades", "archive")}
    np.savez(buffer, population=np.array([Bomb(path)], object), log=np.frombuffer(b"[]", "u1"), **fields)
    return buffer.getvalue()


def test_a_pickle_is_refused_and_not_executed(tmp_path, first):
    trap = tmp_path / "trap"
    assert "no readable State" in one_line_of(lambda: from_bytes(State, with_pickle(first, trap)))
    assert not trap.exists()


def crafted(kind, first, trap):
    if kind == "pickle":
        return with_pickle(first, trap)
    if kind == "cut short":
        return to_bytes(first)[:-200]
    if kind == "flipped":
        data = bytearray(to_bytes(first))
        for place in range(0, len(data), 50):
            data[place] ^= 0xFF
        return bytes(data)
    if kind == "no archive":
        buffer = BytesIO()
        np.savez(buffer, population=first.population)
        return buffer.getvalue()
    archive = first.archive.copy()
    if kind == "another record":
        return to_bytes(first._replace(archive=archive[["losses", "score"]]))
    if kind == "wild readout":
        archive["genome"]["readout"] = 1000
    if kind == "not a number":
        archive["losses"] = np.nan
    return to_bytes(first._replace(archive=archive))


KINDS = ["pickle", "cut short", "flipped", "no archive", "another record", "wild readout", "not a number"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    evo.run(spec_file(folder), folder / "run", workers=0)
    return folder / "run"


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_with_a_bad_state_is_one_line_naming_the_file(tmp_path, finished, first, kind):
    import shutil

    run, trap = tmp_path / "run", tmp_path / "trap"
    shutil.copytree(finished, run)
    with sqlite3.connect(run / "run.db") as db:
        db.execute("UPDATE state SET state = ? WHERE island = 1", [crafted(kind, first, trap)])
    db.close()
    for call in (lambda: evo.open_run(run), lambda: evo.resume(run, workers=0)):
        assert str(run / "run.db") in one_line_of(call)
    assert not trap.exists()


@pytest.mark.parametrize("key", ["interface", "examples", "spec_sha256"])
@pytest.mark.parametrize("value", ["[1, 2]", b"\x00\x01", "null"])
def test_a_store_with_a_bad_fact_is_one_line_naming_the_file(tmp_path, finished, key, value):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(finished, run)
    with sqlite3.connect(run / "run.db") as db:
        db.execute("UPDATE run SET value = ? WHERE key = ?", [value, key])
    db.close()
    message = one_line_of(lambda: evo.resume(run, workers=0))
    assert str(run) in message
