"""Searches that begin with circuits that have a wiring motif, `search.founders_with`, and the control without it."""

import numpy as np
import pytest

import evo
from circuits.graph.named_motifs import occurrences
from circuits.graph.wiring import live
from evo import genome
from evo.genome.founders_with import NAMES, founders_with, founders_without, has
from evo.genome.wiring import wiring_of
from evo.spec.run_spec import parse, read
from tests.evo.tiny import SPEC, one_line_of, spec_file
from tests.products import some_of

pytestmark = pytest.mark.long

SPEC_OF = parse(SPEC)
FORM = SPEC_OF.encoding(SPEC_OF.make_task().interface)
COMMON = [name for name in NAMES if name != "excitatory loop"]  # what one in a hundred random circuits has


def of_circuit(record, name):
    """Does the circuit of a genome have the motif, by another way than the census?"""
    circuit = genome.to_circuit(record, FORM, ("a", "b", "control"), ("out",))
    return any(motif.name == name for motif in occurrences(live(circuit)))


@pytest.mark.parametrize("name", some_of(COMMON, few=COMMON[::3]))
def test_all_that_are_drawn_have_the_motif_and_of_the_control_none(name):
    rng = np.random.default_rng(3)
    with_it, without = (draw(FORM.bounds, 30, rng, name) for draw in (founders_with, founders_without))
    assert len(with_it) == len(without) == 30
    assert not any(list(genome.faults(g, FORM.bounds)) for g in [*with_it, *without])
    assert all(of_circuit(record, name) for record in with_it)
    assert not any(of_circuit(record, name) for record in without)
    assert len({g.tobytes() for g in without}) == 30


def test_the_control_has_the_sizes_of_what_has_the_motif():
    rng = np.random.default_rng(4)
    name = "feedback inhibition"
    sizes = [wiring_of(draw(FORM.bounds, 200, rng, name)).size for draw in (founders_with, founders_without)]
    any_size = wiring_of(genome.founders(FORM.bounds, 200, rng)).size.mean(0)
    apart = np.abs(sizes[0].mean(0) - sizes[1].mean(0)).sum()
    assert apart < 0.4 * np.abs(sizes[0].mean(0) - any_size).sum()


def test_a_search_of_weights_alone_keeps_the_motif(tmp_path):
    spec = spec_file(tmp_path, founders_with='"feedback inhibition"', algorithm='"weights-only"')
    run = evo.run(spec, tmp_path / "run", workers=0)
    for state in run.states:
        assert has(state.population["genome"], "feedback inhibition").all()


def test_what_is_too_rare_is_said_in_one_line_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("evo.genome.founders_with.MAX_DRAWN", 20_000)
    few = SPEC.replace("in_degree = 4", "excitatory_share = [0.8, 1.0]\nin_degree = 4")
    spec = spec_file(tmp_path, few, founders_with='"mutual inhibition"')
    assert "of 20,000 random circuits within the bounds only 0 have" in one_line_of(lambda: read(spec))
    spec = spec_file(tmp_path, founders_with='"mutual exhibition"')
    assert "must be one of" in one_line_of(lambda: read(spec))
    spec = spec_file(tmp_path, founders_with='"mutual inhibition"', founders_without='"disinhibition"')
    assert "search.founders_with: cannot be set with search.founders_without" in one_line_of(lambda: read(spec))
