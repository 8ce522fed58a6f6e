"""How often the wiring of a circuit came up in its run."""

import pytest

import evo
from circuits.errors import UserError
from circuits.graph.canonical import canonical_form
from circuits.graph.wiring import live
from evo import genome
from evo.population.lineage import FOUNDER
from evo.storage.recurrence import recurrences
from tests.evo.tiny import SPEC, spec_file, stops_after


@pytest.fixture(scope="module", params=[SPEC, SPEC.replace("[circuit]", "[circuit]\ndale = false")], ids=["signs", "no signs"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recurring")
    return evo.run(spec_file(folder, request.param, generations=8, population=24), folder / "run", workers=0)


def remembered(run):
    """Form, genome, island and generation of birth, and founder of all that a run remembers, one by one."""
    before = {int(step["id"]): int(step["before"]) for state in run.states for step in state.pedigree}

    def founder(line):
        return line if before[line] == FOUNDER else founder(before[line])

    form, names = run.spec.encoding(run.interface), (run.interface.inputs, run.interface.outputs)
    for state in run.states:
        for rows, line in ((state.archive, "line"), (state.population, "line"), (state.pedigree, "id")):
            for row in rows:
                circuit = genome.to_circuit(row["genome"], form, *names)
                born = int(row["island"]), int(row["generation"])
                yield canonical_form(live(circuit)), row["genome"].tobytes(), *born, founder(int(row[line]))


def test_it_is_counted_as_one_by_one(run):
    every = list(remembered(run))
    forms = [canonical_form(live(member.circuit)) for member in run.front]
    for rank, found in enumerate(map(run.recurrence, range(len(run.front)))):
        same = [one for one in every if one[0] == forms[rank]]
        assert found.circuits == len({one[1] for one in same})
        assert found.islands == sorted({one[2] for one in same})
        assert found.founders == len({one[4] for one in same})
        assert found.generation == min(one[3] for one in same)
        assert found.ranks == [k for k, form in enumerate(forms) if form == forms[rank] and k != rank]
    assert any(run.recurrence(rank).circuits > 1 for rank in range(len(forms)))
    assert any(run.recurrence(rank).founders > 1 for rank in range(len(forms)))


def test_what_is_kept_from_one_call_to_the_next_changes_nothing(run):
    cache = {}
    first = recurrences(run, cache)
    assert len(cache) > 0
    size = len(cache)
    assert recurrences(run, cache) == first == [run.recurrence(rank) for rank in range(len(run.front))]
    assert len(cache) == size


def test_a_run_that_stored_nothing_has_none(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=stops_after(1))
    run = evo.open_run(tmp_path / "run")
    assert len(recurrences(run)) == len(run.front)
    with pytest.raises(UserError, match="there is no rank 9999"):
        run.recurrence(9999)
