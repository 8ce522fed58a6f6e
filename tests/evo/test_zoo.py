"""What the cards of the zoo say is what a fresh simulation finds, and what the command that is on them makes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import circuits
import evo
import fitness
from circuits import zoo
from circuits.edit.lesion import lesion
from circuits.motif_file import digest
from circuits.zoo import Zoo
from evo.spec.resolve import as_changes, resolve
from evo.spec.run_spec import changed
from evo.studies.card import card
from evo.studies.prune import prune
from fitness.analysis.lesions import cuts
from fitness.evaluation.objectives import HARDWARE
from fitness.tasks import BUILT_IN
from tests.bench.zoo import CHOICES, PICKS, Candidate, free_name, write
from tests.evo.tiny import ROOT, cli, one_line_of

pytestmark = pytest.mark.long
ANALYSED = 100
FEW = ("gain-4", "gate-3", "itd-8", "toggle-2")  # in `make test`; the others in `make chaos`
MEASURED = pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in FEW)) for name in zoo])


@MEASURED
def test_the_score_on_the_card_is_that_of_its_trials_and_holds_on_fresh_ones(name):
    known = zoo.card(name)
    task, circuit, found = fitness.task(**known.task), zoo[name].circuit, known.held_out
    assert found.score >= 0.85
    assert found.draws > 1
    assert found.minimum <= found.score <= found.maximum
    assert found.low <= found.score <= found.high
    first = task.evaluate(circuit, task.trials(found.seed, found.trials)).value
    assert found.minimum <= first <= found.maximum
    apart = 2.0 * (found.maximum - found.minimum) + 2.0 * (found.high - found.low) + 0.005
    for seed in (found.seed + found.draws, found.seed + found.draws + 1):
        fresh = task.evaluate(circuit, task.trials(seed, found.trials)).value
        assert abs(fresh - found.score) <= apart


def test_a_card_quotes_the_mean_over_several_draws_and_its_interval_over_them():
    known = zoo.card("separation-3").held_out  # its score varies the most of all in the zoo
    task, circuit = fitness.task("separation"), zoo["separation-3"].circuit
    draws = [task.evaluate(circuit, task.trials(known.seed + k, known.trials)).value for k in range(known.draws)]
    assert known.score == pytest.approx(np.mean(draws))
    assert (known.minimum, known.maximum) == (min(draws), max(draws))
    half = stats.t.ppf(0.975, len(draws) - 1) * np.std(draws, ddof=1) / np.sqrt(len(draws))
    assert known.low <= known.score - half + 1e-6
    assert known.high >= min(known.score + half, 1.0) - 1e-6
    sure = zoo.card("mismatch-3").held_out
    assert sure.score == sure.minimum == sure.maximum == 1.0
    assert 0.99 < sure.low < 1.0, "equal scores of all draws do not say that the next one's is the same"


@MEASURED
def test_the_card_measured_anew_is_the_same(name):
    known = zoo.card(name)
    assert card(name, zoo[name], known.made, known.picture) == known


def test_lesions_and_energy_on_a_card_are_what_they_say():
    known, circuit = zoo.card("gate-3"), zoo["gate-3"].circuit
    task = fitness.task(**known.task)
    trials = task.trials(known.held_out.seed, known.held_out.trials)
    assert {(one.kind, one.part) for one in known.lesions} == {(one.kind, one.part) for one in cuts(circuit)}
    without = {one.part: one.score for one in known.lesions if one.kind == "neuron"}
    for neuron in circuit.neurons:
        assert without[neuron.id] == task.evaluate(lesion(circuit, [neuron.id]), trials).value
    raster = task.simulate(circuit, trials)
    fired, sent = raster.counts(), {n.id: sum(s.pre == n.id for s in circuit.synapses) for n in circuit.neurons}
    events = sum(fired[:, k].sum() * sent[n.id] for k, n in enumerate(circuit.neurons))
    events += sum(trials.spikes[..., k].sum() * len(c.synapses) for k, c in enumerate(circuit.inputs))
    assert known.energy["spikes"] == pytest.approx(fired.sum() / len(trials))
    assert known.energy["events"] == pytest.approx(events / len(trials))
    for hardware, cost in HARDWARE.items():
        joules = cost.event_j * known.energy["events"] + cost.spike_j * known.energy["spikes"]
        assert known.energy[f"joules_{hardware}"] == pytest.approx(joules)


def test_every_task_that_a_search_solves_is_there():
    there = {zoo.card(name).task["name"] for name in zoo}
    assert there == set(BUILT_IN) - {"several"}


@pytest.mark.parametrize("name", zoo)
def test_the_committed_spec_is_the_one_that_made_it(name):
    known = zoo.card(name)
    spec = resolve(known.made.spec, seed=known.made.seed).spec
    assert spec.digest() == known.made.spec_sha256
    assert spec.search.algorithm == known.made.algorithm
    for settings in known.made.forks:
        spec = changed(spec, as_changes(settings))
    assert spec.task == known.task, "the spec leaves no setting of the task to its default"


@pytest.mark.slow
def test_the_commands_on_a_card_make_the_same_circuit_and_the_maker_of_the_zoo_the_same_files(tmp_path):
    known = min(map(zoo.card, zoo), key=lambda one: one.made.evaluations)
    run, pruned = (command.split() for command in known.commands)
    assert run[:2] + pruned[:2] == ["evo", "run", "evo", "prune"]
    spec, seed = run[2], int(run[run.index("--seed") + 1])
    made = evo.run(spec, out=tmp_path / f"{Path(spec).stem}-{seed}", workers=0, seed=seed)
    motif = prune(made.folder, int(pruned[pruned.index("--rank") + 1])).smaller
    assert digest(motif) == known.sha256
    assert motif.circuit == zoo[known.name].circuit
    (choice,) = [one for one in CHOICES if one.spec == spec]
    assert write(made, choice, [], tmp_path / "zoo") == known.name
    again = Zoo(tmp_path / "zoo")
    assert again.card(known.name).model_dump() == known.model_dump()
    origin = [one.provenance.model_dump(exclude={"versions"}) for one in (again[known.name], zoo[known.name])]
    assert origin[0] == origin[1]


def test_all_specs_made_for_the_zoo_are_used():
    there = {path.stem for path in (ROOT / "runs" / "zoo").glob("*.toml")}
    assert there == {Path(choice.spec).stem for choice in CHOICES} - set(BUILT_IN)


def test_the_best_the_smallest_the_largest_and_the_densest_are_picked():
    small, large = zoo["onset-2"], zoo["edge-11"]
    shown = [Candidate(0, small, 0.95), Candidate(1, large, 0.97), Candidate(2, small, 0.97), Candidate(3, large, 0.96)]
    assert {pick: min(shown, key=key).rank for pick, key in PICKS.items()} == {
        "best": 2,
        "smallest": 2,
        "largest": 1,
        "densest": 1,
    }


def test_a_name_that_is_taken_gets_a_letter():
    assert [free_name("itd-8", taken) for taken in ([], ["itd-8"], ["itd-8", "itd-8b"])] == ["itd-8", "itd-8b", "itd-8c"]


def test_a_card_takes_a_task_that_ships():
    stranger = circuits.Motif.of(zoo["itd-8"].circuit, task={"name": "mine.py:Mine"})
    assert "a task that ships" in one_line_of(lambda: card("x", stranger, zoo.card("itd-8").made))


def test_a_card_never_draws_the_trials_that_its_circuit_was_searched_on():
    known = zoo.card("itd-8")
    made = known.made.model_copy(update={"seed": 2027})
    assert "was searched for with seed 2027" in one_line_of(lambda: card("x", zoo["itd-8"], made))


def test_the_command_lists_all_within_80_columns(tmp_path, monkeypatch):
    done = cli(tmp_path, "zoo")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1 : len(zoo) + 1]] == list(zoo)
    assert "\x1b" not in done.stdout
    from rich.console import Console

    from evo.inspect.terminal import zoo_table

    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    zoo_table.show([zoo.card(name) for name in zoo], console)
    for name in zoo:
        zoo_table.show_one(zoo.card(name), zoo, console)
    lines = console.export_text().splitlines()
    assert max(len(line) for line in lines if not line.startswith("  evo ")) <= 80
    for name in zoo:
        (row,) = [line for line in lines if line.startswith(f"{name} ")]
        known = zoo.card(name)
        worst = f" {known.worst.score:.3f}" if known.worst else ""
        counts = f"{known.held_out.score:.3f}{worst} {known.excitatory} {known.inhibitory} {known.energy['events']:.0f}"
        assert " ".join(row.split()).startswith(f"{name} {counts} ")


def test_the_command_shows_one_and_writes_it(tmp_path):
    known = zoo.card("gate-3")
    done = cli(tmp_path, "zoo", "gate-3")
    assert done.returncode == 0, done.stderr
    for part in (*known.commands, f"{known.held_out.score:.3f}", "volleys = 3", "I1 ", "disynaptic inhibition"):
        assert part in done.stdout
    told = json.loads(cli(tmp_path, "zoo", "gate-3", "--json").stdout)
    assert told["commands"] == list(known.commands)
    assert told["lesions"] == [one.model_dump() for one in known.lesions]
    assert len(json.loads(cli(tmp_path, "zoo", "--json").stdout)) == len(zoo)
    for file in ("gate.json", "gate.svg"):
        assert cli(tmp_path, "zoo", "gate-3", "-o", file).stdout == f"{file}\n"
    assert circuits.load(tmp_path / "gate.json") == zoo["gate-3"]
    assert "<svg" in (tmp_path / "gate.svg").read_text()
    done = cli(tmp_path, "zoo", "gate-33")
    assert done.returncode == 2
    assert re.fullmatch(r"evo: the zoo has no 'gate-33'; did you mean gate-3.*\?\n", done.stderr)


def test_all_can_be_drawn_on_one_sheet(tmp_path):
    assert cli(tmp_path, "zoo", "-o", "zoo.svg").returncode == 0
    text = (tmp_path / "zoo.svg").read_text()
    assert text.startswith("<?xml")


def test_other_commands_take_a_motif_of_the_zoo(tmp_path):
    done = cli(tmp_path, "export", "zoo:gate-3", "--to", "motif")
    assert (done.returncode, done.stdout) == (0, "gate-3.json\n"), done.stderr
    assert circuits.load(tmp_path / "gate-3.json") == zoo["gate-3"]
    assert cli(tmp_path, "inspect", "zoo:gate-3").stdout.startswith("<Circuit 2 E, 1 I")
    assert "the zoo has no 'none'" in cli(tmp_path, "export", "zoo:none", "--to", "motif").stderr
