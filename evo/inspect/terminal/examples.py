"""Example trials of a task, with the answers of its reference circuit, as text and as a picture."""

from pathlib import Path

import numpy as np

from circuits.drawing.canvas import Figure, drawn
from circuits.errors import UserError
from circuits.simulation.environments import TwoEars
from evo.inspect import pictures
from evo.inspect.terminal.text import raster_lines
from fitness.base.task import Task
from fitness.references import lesioned, reference_of

SHOWN = 4  # trials, of as many classes
SEED, COUNT = 1, 512
WALKS = 40


def lines(task: Task) -> list[str]:
    """One trial of each of the first classes as input and output spikes, and the score of the reference circuit."""
    motif, shown, titles = _examples(task)
    text = []
    raster = task.simulate(motif.circuit, shown) if motif else None
    for k, title in enumerate(titles):
        spikes = shown.spikes
        if raster is not None and raster.stimulus is not None:
            spikes = raster.stimulus.spikes()  # in a closed loop, what the circuit made of it
        rows = {name: spikes[k, :, c] for c, name in enumerate(task.inputs)}
        if raster is not None:
            rows |= {f"> {name}": raster.outputs.spikes()[k, :, c] for c, name in enumerate(task.outputs)}
        text += ["", f"Example, {title}:", *raster_lines(rows, task.dt_ms)]
    if motif is None:
        return text
    trials = task.trials(SEED, COUNT)
    score = task.evaluate(motif.circuit, trials)
    low, high = task.interval(score, trials)
    text += ["", f"> the answer of the reference circuit, which scores {score.value:.3f} (95 %: {low:.3f} to {high:.3f})"]
    if task.critical_connections:
        cut = task.evaluate(lesioned(task), trials).value
        text.append(f"without {', '.join(f'{pre} to {post}' for pre, post in task.critical_connections)} it scores {cut:.3f}")
    return text


@drawn
def draw(task: Task, path: Path) -> Path:
    """The trials of `lines` as a picture, with all neurons of the reference circuit if there is one, or in a closed loop its
    walks; the format is that of the file's ending."""
    motif, shown, titles = _examples(task)
    environment = task.environment(task.trials(SEED, WALKS))
    if motif is None:
        if not task.inputs:
            raise UserError(f"task {task.title()}: has neither inputs nor a reference circuit to draw")
        figure = pictures.stimuli(task, shown.spikes, titles).figure
    elif isinstance(environment, TwoEars):
        figure = Figure(figsize=(9.2, 3.8))
        pictures.wiring(motif.circuit, figure.add_axes((0.015, 0.0, 0.565, 1.0)))
        trials = task.trials(SEED, WALKS)
        pictures.walks(task.simulate(motif.circuit, trials, "float32"), environment, figure.add_axes((0.6, 0.02, 0.39, 0.96)))
    else:
        figure = np.ravel(pictures.card(motif.circuit, shown.spikes, titles))[0].figure
    return pictures.save(figure, path)


def _examples(task):
    """The reference circuit, or None; a trial of each of the first classes; their titles."""
    trials = task.trials(SEED, COUNT)
    classes, first = np.unique(trials.labels, return_index=True)
    spread = np.unique(np.linspace(0, len(classes) - 1, min(SHOWN, len(classes))).round().astype(int))
    return reference_of(task), trials.take(first[spread]), [f"class {classes[k]}" for k in spread]
