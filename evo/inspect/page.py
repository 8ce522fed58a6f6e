"""The report page: one self-contained HTML file that opens without a network."""

import base64
from pathlib import Path
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, PackageLoader

from circuits.errors import UserError
from circuits.motif_file import Motif, write_whole
from evo.inspect import pictures, table
from evo.island import HELD_OUT_TRIALS
from evo.run_folder import Run


def default_path(subject: Path) -> Path:
    """Where the page of a run folder or motif file goes unless told otherwise."""
    return subject / "report.html" if subject.is_dir() else subject.with_suffix(".html")


def write(subject: Run | Motif, path) -> Path:
    """Write the page of a run or of a single motif; returns the path."""
    # Autoescaping: names in a stranger's folder or file are text, never markup.
    environment = Environment(loader=PackageLoader("evo.inspect", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    content = _of_run(subject) if isinstance(subject, Run) else _of_motif(subject)
    return write_whole(path, environment.get_template("page.html").render(**content))


def _of_run(run):
    s, members = run.spec.search, run.front
    classes = [f"class {label}" for label in run.examples.labels]
    one_each = np.unique(run.examples.labels, return_index=True)[1][:4]
    return {
        "title": run.name,
        "facts": {
            "task": ", ".join(f"{key} = {value}" if key != "name" else value for key, value in run.spec.task.items()),
            "state": f"{run.state}, generation {run.generation} of {s.generations}, {run.evaluations:,} evaluations",
            "search": f"{s.islands} islands of {s.population}, seed {s.seed}, {s.trials} trials, {s.held_out} held out",
            "given up": f"hopeless circuits, which saved {run.saved:.1%} of the simulation",
            "reproduce": f"evo run run.toml (spec {run.spec_sha256[:12]})",
        },
        "overview": [_image(pictures.convergence, run, alt="score over generations")] if run.epochs else [],
        "front_image": _image(pictures.front, run, alt="held-out score against energy") if members else "",
        "columns": list(table.row(members[0])) if members else [],
        "members": [
            _member(m.circuit, run.examples.spikes[one_each], [classes[k] for k in one_each])
            | {"id": f"rank{m.rank}", "row": list(table.row(m).values()), "heading": f"Rank {m.rank}", "summary": _summary(m)}
            for m in members
        ],
    }


def _of_motif(motif):
    spikes, titles = _example_trials(motif)
    origin = motif.provenance.model_dump(exclude_none=True)
    return {
        "title": f"motif from {origin.get('run', 'a file')}",
        "facts": {key: value for key, value in origin.items() if key not in ("versions", "scores")} | origin.get("scores", {}),
        "overview": [],
        "front_image": "",
        "columns": [],
        "members": [
            _member(motif.circuit, spikes, titles) | {"id": "motif", "heading": "Circuit", "summary": str(motif.circuit)}
        ],
    }


def _member(circuit, spikes, titles):
    heading, synapses = table.synapse_rows(circuit)
    return {
        "wiring": _image(pictures.wiring, circuit, alt=f"wiring of {circuit!r}"),
        "raster": _image(pictures.rasters, circuit, spikes, titles, alt="example trials") if len(spikes) else "",
        "parameters": [(name, about.text) for name, about in circuit.model.parameters.items()],
        "neurons": [
            [f"{n.id} ({n.type or n.sign})", *(f"{value:.4g}" for value in row)]
            for n, row in zip(circuit.neurons, circuit.parameters, strict=True)
        ],
        "synapse_heading": heading,
        "synapses": synapses,
    }


def _example_trials(motif):
    """Trials to draw a motif's activity on, if its task ships with us: a stranger's own task is never executed."""
    from fitness.registry import task as make_task
    from fitness.tasks import BUILT_IN

    settings = dict(motif.provenance.task or {})
    if settings.get("name") not in BUILT_IN:
        return [], []
    try:
        task = make_task(**settings)
        trials = task.trials((motif.provenance.seed or 0, HELD_OUT_TRIALS), 64)
    except (UserError, TypeError):
        return [], []
    if abs(task.dt_ms - motif.dt_ms) > 1e-9 or len(task.inputs) != len(motif.inputs):
        return [], []
    labels, first = np.unique(trials.labels, return_index=True)
    return trials.spikes[first[:4]], [f"class {label}" for label in labels[:4]]


def _summary(m):
    return (
        f"held out {m.held_out:.3f} (95 %: {m.low:.3f} to {m.high:.3f}){', overfitted' if m.overfitted else ''}, "
        f"search {m.score:.3f}; {m.excitatory} E, {m.inhibitory} I, "
        f"{m.circuit.synapse_count} synapses, {m.spikes:.1f} spikes per trial"
    )


def _image(draw, *args, alt):
    data = quote(base64.b64encode(pictures.to_svg(draw, *args).encode()))
    return {"src": f"data:image/svg+xml;base64,{data}", "alt": alt}
