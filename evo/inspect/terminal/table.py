"""The front as a table for people and as JSON for machines."""

import json
import math

from rich.console import Console
from rich.text import Text

from circuits.errors import harmless
from circuits.motif_file import Motif, dumps
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.inspect.equally_good import as_text, equally_good
from evo.inspect.terminal.plain_table import note, plain_table
from evo.storage.front import Member
from evo.storage.parts import Part
from evo.storage.run_folder import Run

SHOWN = 20
ROWS = 1000  # of a table of the parts of one circuit


def as_json(subject: Run | Motif) -> dict:
    """`{"run": {...}, "front": [...]}` of a run, best held-out score first; or `{"motif": ...}` of a single motif."""
    if isinstance(subject, Motif):
        return {"motif": json.loads(dumps(subject))}
    run = {
        **{name: getattr(subject, name) for name in ("name", "state", "generation", "evaluations")},
        "saved_share": subject.saved,
        "task": subject.spec.task,
        "seed": subject.spec.search.seed,
        "spec_sha256": subject.spec_sha256,
        "archive_sha256": subject.archive_sha256,
    }
    front = [
        {
            "rank": m.rank,
            "score": m.score,
            **m.fresh_scores,
            "worst_condition": m.condition and m.condition.name,
            "worst_trials": m.condition and m.condition.trials,
            "overfitted": m.overfitted,
            "uneven": m.uneven,
            "objectives": m.objectives,
            "e": m.excitatory,
            "i": m.inhibitory,
            "synapses": m.circuit.synapse_count,
            "spikes": None if math.isnan(m.spikes) else m.spikes,
            **({"judgements": m.judgements, "mean_score": m.mean_score} if m.noisy else {}),
            "motif": json.loads(dumps(subject.motif(m.rank))),
            **({"parts": [_part(part) for part in subject.parts(m.rank)]} if subject.spec.roles else {}),
        }
        for m in subject.front
    ]
    return {"run": run, "front": front}


def _part(part: Part) -> dict:
    circuit = json.loads(dumps(Motif.of(part.circuit)))
    return {"role": part.role, "copies": part.copies, "hears": part.hears, "motif": circuit}


def row(member: Member) -> dict[str, str]:
    """One line of the front's table: column heading to text."""
    fired = {"spikes": f"{member.spikes:.1f}", "energy": f"{member.spikes + member.events:.1f}"}
    return {
        "rank": str(member.rank),
        "held out": f"{member.held_out:.3f}{member.mark}",
        "95 %": "" if math.isnan(member.low) else f"{member.low:.2f}-{member.high:.2f}",
        "worst": "" if math.isnan(member.worst) else f"{member.worst:.3f}",
        "score": f"{member.score:.3f}",
        "E": str(member.excitatory),
        "I": str(member.inhibitory),
        "synapses": str(member.circuit.synapse_count),
        **({} if math.isnan(member.spikes) else fired),
        **({"judged": str(member.judgements)} if member.noisy else {}),
        "island": str(member.island),
        "born": str(member.generation),
    }


def show(subject: Run | Motif, console: Console):
    """Print a run's front, or a motif's neurons and synapses."""
    if isinstance(subject, Motif):
        _show_motif(subject, console)
        return
    search = subject.spec.search
    line = f"{subject.name}: {subject.spec.title}, {subject.state}, generation {subject.generation} of "
    line += f"{search.generations}, {subject.evaluations:,} evaluations"
    console.print(harmless(line), highlight=False, markup=False)
    front = subject.front
    if not front:
        console.print("nothing is stored yet")
        return
    table = plain_table(row(front[0]), no_wrap=True)
    for member in front[:SHOWN]:
        table.add_row(*row(member).values())
    console.print(table)
    if len(front) > SHOWN:
        console.print(f"and {len(front) - SHOWN} more: --json has them all, --html draws them", highlight=False)
    if any(member.overfitted for member in front):
        console.print("! overfitted: scores at least 0.05 less on trials the search never saw", highlight=False)
    if any(member.uneven for member in front):
        console.print("? uneven: in its worst condition it scores at least 0.25 less than on all trials", highlight=False)
    if front[0].condition is not None:
        name, trials = front[0].condition
        of = len(subject.conditions)
        about = f"worst: in the worst of {of} conditions of the held-out trials; of rank 0: {harmless(name)}, {trials} trials"
        note(console, about)
    if subject.spec.roles:
        console.print(f"rank 0: {'; '.join(map(_described, subject.parts(0)))}", highlight=False, markup=False)
    if (equals := equally_good(subject)) is not None:
        console.print(as_text(equals), highlight=False, markup=False)
    if subject.spec.judge_class.simulates:
        note(console, "per trial: spikes, energy (with synaptic events); scores: 0 chance, 1 perfect")
    elif search.noisy:
        note(console, "score: a lower bound of the mean of so many judgements")


def _described(part):
    """A part of an assembly in words."""
    size = f"{part.copies} {'copy' if part.copies == 1 else 'copies'} of {len(part.circuit.neurons)} neurons"
    sources = [name for name in part.hears if name != part.role]
    inputs = f", hears {' and '.join(sources)}" if sources else ""
    return f"{part.role}: {size}{inputs}{', lateral wiring' if part.role in part.hears and part.copies > 1 else ''}"


def _show_motif(motif, console):
    console.print(str(motif.circuit), highlight=False, markup=False)
    shown = [name for name in motif.model.names if name not in ("v_rest_mv", "v_reset_mv")]
    neurons = plain_table(("neuron", *(name.removesuffix("_ms").removesuffix("_mv") for name in shown), "output"))
    for n in motif.neurons[:ROWS]:
        values = [getattr(n, name) for name in shown]
        ports = ", ".join(o.name for o in motif.outputs if n.id in o.neurons)
        neurons.add_row(_text(f"{n.id} ({n.type or n.sign})"), *(f"{v:.4g}" for v in values), _text(ports))
    console.print(neurons)
    if len(motif.neurons) > ROWS:
        console.print(f"and {len(motif.neurons) - ROWS:,} more neurons: --json has them all", highlight=False)
    heading, rows = synapse_rows(motif)
    synapses = plain_table(heading, left=("plasticity",))
    for row in rows[:ROWS]:
        synapses.add_row(*map(_text, row))
    console.print(synapses)
    if len(rows) > ROWS:
        console.print(f"and {len(rows) - ROWS:,} more synapses: --json has them all", highlight=False)
    if motif.noise_mv:
        console.print(f"membrane noise: {motif.noise_mv:g} mV", highlight=False)


def synapse_rows(circuit) -> tuple[list[str], list[list[str]]]:
    """The heading and the rows of a table of all synapses, those from input channels first, with a last column for their
    plasticity if any is plastic."""
    heading = ["from", "to", "weight mV", "delay ms"]
    rows = [[str(source), str(s.post), f"{s.weight_mv:.4g}", f"{s.delay_ms:g}"] for (_, source), s in circuit.all_synapses]
    plastic = [plasticity(s) for _, s in circuit.all_synapses]
    if any(plastic):
        heading, rows = [*heading, "plasticity"], [[*row, text] for row, text in zip(rows, plastic, strict=True)]
    return heading, rows


def plasticity(synapse) -> str:
    """Plasticity of a synapse in words; nothing for a static one."""
    for name in SYNAPSE_MODELS:
        if section := getattr(synapse, name):
            return f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in section.model_dump().items())
    return ""


def _text(value):
    return Text(harmless(str(value)))
