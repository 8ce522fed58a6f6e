"""Evolved circuits beside a connectome: what is counted, what is kept by chance, how often the test is wrong."""

import json

import numpy as np
import pytest

import circuits
from circuits.graph.named_motifs import NAMED, OCCURRENCES
from circuits.graph.subgraphs import census
from circuits.graph.wiring import Wiring
from evo.inspect.terminal.against_table import as_json
from evo.studies.motifs import against as study
from evo.studies.motifs.signed_graphs import BETWEEN, Signed, counts, rewired
from tests.evo.tiny import cli, one_line_of


def random_graph(rng, n=30, share=0.15, inhibitory=0.3):
    sign = np.where(rng.random(n) < inhibitory, -1, 1).astype("i1")
    joined = rng.random((n, n)) < share
    np.fill_diagonal(joined, False)
    return Signed(sign, np.argwhere(joined))


def test_motifs_are_counted_as_the_census_counts_them():
    rng = np.random.default_rng(1)
    columns = [NAMED.index(motif) for motif in BETWEEN]
    assert len(BETWEEN) == 10
    for _ in range(10):
        graph = random_graph(rng, 10, 0.35, 0.4)
        wiring = Wiring(graph.sign[None], graph.adjacency[None], np.zeros((1, 10), bool))
        assert np.array_equal((census(wiring) @ OCCURRENCES)[0][columns], counts(graph))


def test_rewired_graphs_keep_signs_and_degrees_and_are_others():
    rng = np.random.default_rng(2)
    graph = random_graph(rng)
    other = rewired(graph, rng)
    a, b = graph.adjacency, other.adjacency
    assert np.array_equal(a.sum(axis=1), b.sum(axis=1))
    for sign in (1, -1):
        assert np.array_equal(a[graph.sign == sign].sum(axis=0), b[graph.sign == sign].sum(axis=0))
    assert not b.diagonal().any()
    assert len(other.edges) == b.sum() == a.sum()  # no connection twice
    assert (a != b).mean() > 0.1
    assert np.array_equal(graph.adjacency, a)  # the graph itself is left as it was


@pytest.mark.long
def test_graphs_of_the_null_are_found_at_the_rate_that_was_chosen():
    rng = np.random.default_rng(3)
    ps = []
    for _ in range(60):
        found = study.excesses([rewired(random_graph(rng, 20), rng)], 60, rng)
        ps += [excess.p for excess in found if not np.isnan(excess.p)]
    assert 0.02 < np.mean(np.array(ps) < 0.05) < 0.08
    assert 0.4 < np.mean(ps) < 0.65


def test_what_was_planted_is_found():
    rng = np.random.default_rng(4)
    graph = random_graph(rng, 40, 0.05)
    joined = graph.adjacency
    e = np.flatnonzero(graph.sign > 0)
    for a, b in zip(e[:-1:2], e[1::2], strict=False):
        joined[a, b] = joined[b, a] = True
    found = study.excesses([Signed(graph.sign, np.argwhere(joined))], 100, rng)
    best = found[[motif.name for motif in BETWEEN].index("recurrent excitation")]
    assert best.p < 0.01
    assert best.ratio > 2


def test_the_command_compares_motifs_with_an_edge_list(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "NULLS", 20)
    monkeypatch.setattr(study, "TESTED", 2)
    monkeypatch.setattr(study, "NULLS_TESTED", 10)
    graph = random_graph(np.random.default_rng(5))
    rows = [f"{a},{b},{graph.sign[a]}" for a, b in graph.edges]
    (tmp_path / "worm.csv").write_text("source,target,sign\n" + "\n".join(rows) + "\n")
    done = cli(tmp_path, "motifs", "zoo:gate-3", "zoo:xor-3", "--against", "worm.csv", "--json", "-o", "found.svg")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["measured"]["connections"] == len(graph.edges)
    assert found["evolved"]["graphs"] == 2
    assert [row["motif"] for row in found["measured"]["motifs"]] == [motif.name for motif in BETWEEN]
    assert (tmp_path / "found.svg").stat().st_size > 1000
    table = cli(tmp_path, "motifs", "zoo:gate-3", "--against", "worm.csv").stdout
    assert "of 20 tests on graphs drawn from the null" in table
    evolved = [circuits.zoo["gate-3"].circuit]
    first, second = (json.dumps(as_json(study.against(evolved, tmp_path / "worm.csv"))) for _ in range(2))
    assert first == second


def test_a_graph_without_connections_is_one_line(tmp_path):
    (tmp_path / "none.csv").write_text("source,target,sign\ns,a,input\n")
    message = one_line_of(lambda: study.against([circuits.zoo["gate-3"].circuit], tmp_path / "none.csv"))
    assert "no connections between neurons" in message
