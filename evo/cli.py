"""The command line. Each command is a thin wrapper around the Python surface; errors of the user's making are one line."""

import json
import os
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from circuits.errors import MachineError, UserError

ZOO = "zoo:"  # before the name of a motif of the zoo, where a motif file would do


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="evocircuits", prog_name="evo")
def cli():
    """Evolve excitatory/inhibitory spiking microcircuits, look at them, and take them along as modules.

    \b
    evo tasks                          what circuits can be evolved for
    evo new itd -o my.toml             a commented spec to start from
    evo run my.toml                    run the search; Ctrl-C stops it, evo resume goes on
    evo inspect runs/my-1 --html       the circuits it found: a table, and a page
    evo export runs/my-1 --to torch    the best one as a PyTorch module
    evo listen runs/my-1 sound.wav     what an evolved sound localiser hears
    """


_WORKERS = click.option(
    "--workers",
    default="auto",
    metavar="N|auto",
    help="Processes; 0 runs everything in this one, without Ray. The result is the same.",
)
_ADDRESS = click.option("--address", metavar="ADDR", help="A running Ray to use: auto, or HOST:PORT.")


def _known_loggers(_context, _option, given):
    from evo.loggers import parts

    for where in given:
        parts(where)
    return given


_LOG = click.option(
    "--log",
    multiple=True,
    metavar="KIND:PLACE",
    callback=_known_loggers,
    help="Also log to tensorboard:DIR or mlflow:URI.",
)


@cli.command()
@click.argument("spec", metavar="SPEC.toml")
@click.option("--out", metavar="DIR", help="The run folder [default: the first free runs/NAME-1, runs/NAME-2, ...].")
@_WORKERS
@_ADDRESS
@click.option("--seed", type=int, help="Overrides search.seed.")
@click.option("--generations", type=int, metavar="G", help="Overrides search.generations.")
@_LOG
def run(spec, out, workers, address, seed, generations, log):
    """Run the search that a spec describes."""
    from evo import search
    from evo.spec import read

    overrides = {"seed": seed, "generations": generations}
    resolved, source = read(spec, **overrides)
    folder = Path(out) if out is not None else search.free_folder(Path(spec).stem)
    _announce(resolved, source, folder)
    _compile(resolved, source)
    with _stopping(folder), _observing(resolved, folder, [], log) as observe:
        done = search.run(spec, folder, workers, address, observe, **overrides)
    _finish(done)


@cli.command()
@click.argument("folder", metavar="DIR")
@_WORKERS
@_ADDRESS
@click.option("--generations", type=int, metavar="G", help="Go on to generation G, whatever else ended the run.")
@_LOG
def resume(folder, workers, address, generations, log):
    """Go on with a stopped run; it ends in the archive the uninterrupted run has."""
    from evo import search
    from evo.run_folder import STORE, Run, read_spec
    from fitness.registry import read_source

    spec = read_spec(Path(folder))
    source = read_source(spec.task["name"], Path(folder))
    _announce(spec, source, Path(folder))
    _compile(spec, source)
    before = Run(folder).epochs if (Path(folder) / STORE).exists() else []
    with _stopping(Path(folder)), _observing(spec, Path(folder), before, log) as observe:
        done = search.resume(folder, workers, address, observe, generations)
    _finish(done)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting to change, such as search.seed=2.")
@click.option("--out", metavar="DIR", help="The new run folder [default: the first free DIR-1, DIR-2, ...].")
@_WORKERS
@_ADDRESS
@_LOG
def fork(folder, settings, out, workers, address, log):
    """Start a new run from the circuits of another, with changed settings.

    \b
    evo fork runs/itd-1 --set search.algorithm=cma     polish what was found
    evo fork runs/itd-1 --set task.detectors=4 --set search.generations=500
    """
    from evo import search
    from evo.run_folder import read_spec
    from evo.spec import changed
    from fitness.registry import read_source

    changes = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: write KEY=VALUE, such as search.seed=2")
        changes[key.strip()] = value.strip()
    parent = Path(folder)
    spec = changed(read_spec(parent), changes)
    source = read_source(spec.task["name"], parent)
    beside = Path(out) if out is not None else search.free_folder(parent.resolve().name, parent.parent)
    _announce(spec, source, beside)
    _compile(spec, source)
    with _stopping(beside), _observing(spec, beside, [], log) as observe:
        done = search.fork(parent, changes, beside, workers, address, observe)
    _finish(done)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(folder, as_json):
    """Where a run stands: running, stopped or finished."""
    from evo.run_folder import Run

    found = Run(folder)
    s = found.spec.search
    facts = {
        "state": found.state,
        "ended_by": found.standing.ended,
        "generation": found.generation,
        "generations": s.generations,
        "evaluations": found.evaluations,
        "saved_share": found.saved,
        "failed": found.failed[0],
        "front": len(found.front),
        "best_held_out": max((m.held_out for m in found.front), default=None),
        "archive_sha256": found.archive_sha256,
        "parent": found.parent,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    best = "nothing found yet" if facts["best_held_out"] is None else f"best held-out score {facts['best_held_out']:.3f}"
    click.echo(
        f"{folder}: {found.state}, generation {found.generation} of {s.generations}, {found.evaluations:,} evaluations, {best}"
    )
    if found.parent:
        click.echo(f"forked from {found.parent['run']} at its generation {found.parent['generation']}")
    if found.standing.ended not in (None, "generations"):
        click.echo(f"ended by search.{found.standing.ended}; go on with: evo resume {folder} --generations G")
    if found.failed[0]:
        click.echo(f"{found.failed[0]:,} times a circuit got the worst score because of: {found.failed[1]}")
    if found.saved:
        click.echo(f"giving up hopeless circuits saved {found.saved:.1%} of the simulation")
    if found.state == "stopped":
        click.echo(f"go on with: evo resume {folder}")


@cli.command()
@click.argument("path", metavar="DIR|MOTIF.json")
@click.option("--html", metavar="FILE", is_flag=False, flag_value="-", help="Write the report page [default: DIR/report.html].")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def inspect(path, html, as_json):
    """Show the circuits a run found, or one motif."""
    from evo.inspect import page, table

    subject = _subject(path)
    if as_json:
        click.echo(json.dumps(table.as_json(subject), allow_nan=False))
    else:
        table.show(subject, _console())
    if html is not None:
        written = page.write(subject, page.default_path(Path(path.removeprefix(ZOO))) if html == "-" else Path(html))
        click.echo(f"page: {written}", err=as_json)


@cli.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("-o", "--out", metavar="FILE", help="Draw what was found as a picture (svg, png or pdf).")
def motifs(folders, as_json, out):
    """Show what many runs have in common: wirings found again and again, and motifs that chance does not explain.

    Give the folders of runs that differ in their seed. Of each run counts the smallest circuit that does as well as its best.
    """
    from evo.inspect import motif_picture, motif_table
    from evo.motifs import motifs as find
    from evo.run_folder import Run

    found = find([Run(folder) for folder in folders])
    if as_json:
        click.echo(json.dumps(motif_table.as_json(found), allow_nan=False))
    else:
        motif_table.show(found, _console())
    if out is not None:
        click.echo(f"picture: {motif_picture.draw(found, Path(out))}", err=as_json)


@cli.command()
@click.argument("path", metavar="DIR|MOTIF.json")
@click.option("--to", "target", required=True, metavar="TARGET", help="One of the above.")
@click.option("--rank", default=0, show_default=True, metavar="K", help="Which circuit of the front.")
@click.option("-o", "--out", metavar="PATH", help="Where to [default: DIR/motifs/].")
def export(path, target, rank, out):
    """Write a found circuit for use elsewhere.

    \b
    motif     the circuit as a file (JSON)
    torch     a folder with a trainable PyTorch module
    nest      a folder with a script for NEST
    brian2    a folder with a script for Brian2, all neuron models
    sonata    a folder with a SONATA network, for NEST's reader and others
    nir       a folder with NIR graphs, for snnTorch, Norse, SpikingJelly and others
    graphml   a file for graph tools: networkx, igraph, Gephi, yEd

    Folders come with an example trial and are checked against the simulator, where the tool is installed. What becomes of each
    feature (exact, approximate, dropped) is said on stderr and in the folder's README.md.
    """
    from circuits.export import export as write
    from circuits.export import summary
    from evo.run_folder import Run

    source = Path(path)
    if source.is_dir():
        found = Run(source)
        motif, example = found.motif(rank), found.examples.spikes[0]
        stem = source / "motifs" / f"rank{rank}"
    else:
        motif, example = _subject(path), None
        stem = Path(path.removeprefix(ZOO)) if path.startswith(ZOO) else source.with_suffix("")
    suffix = {"motif": ".json", "graphml": ".graphml"}.get(target, f"-{target}")
    written = write(motif, target, Path(out) if out else Path(f"{stem}{suffix}"), example_input=example)
    click.echo(summary(motif, target, written), err=True)
    click.echo(written)


@cli.command()
@click.argument("path", metavar="DIR|MOTIF.json")
@click.option("--rank", default=0, show_default=True, metavar="K", help="Which circuit of the front.")
@click.option("-o", "--out", metavar="FILE", help="Where to [default: DIR/motifs/rankK-core.json, MOTIF-core.json].")
def prune(path, rank, out):
    """Write the core of a circuit: the smallest part found of it that does as well.

    Neurons and synapses are removed, the least harmful first, as long as the score stays within its 95 % confidence interval.
    What is left is tried on other trials. Of a run with a task of your own, its code is executed where the core is not stored.
    """
    from circuits.motif_file import save
    from evo.prune import prune as pruned

    source = Path(path)
    found = pruned(source, rank)
    beside = source / "motifs" / f"rank{rank}-core.json" if source.is_dir() else source.with_name(f"{source.stem}-core.json")
    for name, motif, did in (("whole", found.motif, found.base), ("core", found.smaller, found.core)):
        e = int(motif.excitatory.sum())
        parts = f"{e} E, {len(motif.neurons) - e} I, {motif.synapse_count} synapses"
        click.echo(f"{name:6}{parts:26}score {did['score']:.3f} (95 %: {did['low']:.3f} to {did['high']:.3f})")
    click.echo(f"removed {', '.join(found.core['removed']) or 'nothing'}")
    if found.core["confirmed"]:
        click.echo(f"no neuron or synapse of the core can be removed alone; confirmed on {found.core['trials']} other trials")
    else:
        click.echo(f"not confirmed: on {found.core['trials']} other trials it scores less than the whole circuit's interval")
    click.echo(save(found.smaller, Path(out) if out else beside))


@cli.command()
@click.argument("folders", metavar="DIR DIR...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def compare(folders, as_json):
    """Show runs side by side; with several seeds of each spec, how much better one spec does than the first.

    Runs whose specs differ in the seed alone are taken together. Effect sizes are Vargha and Delaney's A: the probability that
    a run of one spec does better than a run of the other.
    """
    from evo.compare import compare as compared
    from evo.inspect import comparison

    found = compared(folders)
    if as_json:
        click.echo(json.dumps(comparison.as_json(found), allow_nan=False))
    else:
        comparison.show(found, _console())


@cli.command()
@click.argument("path", metavar="DIR|MOTIF.json")
@click.argument("sound", metavar="FILE.wav")
@click.option("--centre", type=float, metavar="HZ", help="Of the band to listen to [default: the strongest below 700 Hz].")
def listen(path, sound, centre):
    """Let a sound localiser (task itd) listen to a stereo WAV file.

    Circuits evolved with a single tone know that tone; for other sounds evolve with [task] sweep = 0.6, or take zoo:itd-8.
    """
    import numpy as np

    import fitness

    subject = _subject(path)
    motif = subject.motif(0) if Path(path).is_dir() else subject
    settings = dict(motif.provenance.task or {})
    if settings.pop("name", None) != "itd":
        raise UserError(f"{path}: no sound localiser; circuits of the task itd can listen")
    task = fitness.task("itd", **settings)
    trials = task.hear(sound, centre)
    names = task.heard(motif, trials)

    def direction(k):
        return f"direction{k}  {task.directions_ms[k]:+.3f} ms" if k >= 0 else "undecided"

    for start, k in zip(trials.facts["start_ms"], names, strict=True):
        click.echo(f"{start:10.1f} ms  {direction(k)}")
    decided = np.bincount(names[names >= 0], minlength=1)
    most = int(decided.argmax()) if (decided == decided.max()).sum() == 1 else -1
    click.echo(f"mostly: {direction(most)}, in {decided.max()} of {len(names)} stretches; + is from the left, - from the right")


@cli.command()
@click.argument("name", metavar="[MOTIF]", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("-o", "--out", metavar="FILE", help="Write the motif (json), or draw its wiring (svg, png or pdf).")
def zoo(name, as_json, out):
    """List the evolved motifs that ship, or show one: how well it does, what its parts are good for, how it was found.

    \b
    evo zoo itd-8 -o itd-8.json        the motif as a file
    evo export zoo:itd-8 --to nest     other commands read it as zoo:itd-8
    evo zoo -o zoo.svg                 all of them on one sheet
    """
    from circuits.diagram import wiring
    from circuits.motif_file import save
    from circuits.zoo import zoo as shipped
    from evo.inspect import pictures, zoo_picture, zoo_table

    cards = [shipped.card(one) for one in ([name] if name else shipped)]
    if as_json:
        found = zoo_table.as_json(cards)
        click.echo(json.dumps(found[0] if name else found))
    elif out is None and name:
        zoo_table.show_one(cards[0], shipped, _console())
    elif out is None:
        zoo_table.show(cards, _console())
    if out is not None and name and Path(out).suffix == ".json":
        click.echo(save(shipped[name], out), err=as_json)
    elif out is not None:
        figure = wiring(shipped[name]).figure if name else zoo_picture.sheet(shipped, shipped)
        click.echo(pictures.save(figure, Path(out)), err=as_json)


@cli.command()
@click.argument("name", required=False)
@click.option("-o", "--out", metavar="FILE", help="Draw the example trials as a picture (svg, png or pdf) instead.")
def tasks(name, out):
    """List the tasks, or explain one and draw example trials with the answers of its reference circuit."""
    import inspect

    from evo.inspect.examples import draw, lines
    from fitness.tasks import BUILT_IN

    if name is None:
        for task in BUILT_IN.values():
            click.echo(f"{task.name:14} {task.what()}")
        click.echo("\nevo tasks NAME explains one; a task of your own is FILE.py:CLASS in the spec.")
        return
    if name not in BUILT_IN:
        raise UserError(f"there is no task {name!r}; known are {', '.join(BUILT_IN)}")
    task = BUILT_IN[name]
    if out is not None:
        click.echo(draw(task(), Path(out)))
        return
    click.echo(f"{inspect.getmodule(task).__doc__.strip()}\n\n{inspect.getdoc(task)}\n\nSettings:")
    for key, field in task.model_fields.items():
        click.echo(f"  {f'{key} = {field.default}':<24} {field.description or ''}")
    for line in lines(task()):
        click.echo(line)


@cli.command()
def objectives():
    """List what a search can optimise: search.objectives in a spec."""
    from fitness.objectives import OBJECTIVES

    for name, objective in OBJECTIVES.items():
        click.echo(f"{name:18} {objective.text}")


@cli.command()
def algorithms():
    """List the ways to search: search.algorithm in a spec."""
    from evo.algorithms import ALGORITHMS, DEFAULT

    for name, algorithm in ALGORITHMS.items():
        click.echo(f"{name:18} {algorithm.text}{' (the default)' if name == DEFAULT else ''}")


@cli.command()
@click.argument("name", metavar="TASK")
@click.option("-o", "--out", metavar="FILE", help="Where to write it [default: print it].")
@click.option("--neurons", metavar="MODEL", help="See evo models [default: what suits the task].")
@click.option("--synapses", metavar="MODEL", help="Between neurons; see evo models [default: what suits the task].")
def new(name, out, neurons, synapses):
    """Write a commented spec to start from."""
    from circuits.motif_file import write_whole
    from evo.starter import starter

    text = starter(name, neurons, synapses)
    if out is None:
        click.echo(text, nl=False)
        return
    if Path(out).exists():
        raise UserError(f"{out}: is there already")
    click.echo(write_whole(out, text))


@cli.command()
@click.argument("name", required=False)
def models(name):
    """List the neuron and synapse models, or explain one."""
    import inspect

    from circuits import neurons, synapses

    parts = {model.name: (model.neuron, model.parameters) for model in neurons.MODELS.values()}
    parts |= {model.name: (model.section, model.parameters) for model in synapses.MODELS.values()}
    if name is None:
        for model, (part, _) in parts.items():
            kind = "neuron" if model in neurons.MODELS else "synapse"
            click.echo(f"{model:14}{kind:9}{inspect.getmodule(part).__doc__.strip().splitlines()[0]}")
        click.echo("\nevo models NAME gives the equations and parameters; in a spec: [circuit] neuron_model, synapse_model.")
        return
    if name not in parts:
        raise UserError(f"there is no model {name!r}; known are {', '.join(parts)}")
    part, parameters = parts[name]
    click.echo(inspect.getdoc(part))
    click.echo("\nParameters (default, least to largest):")
    for key, p in parameters.items():
        click.echo(f"  {key:16}{p.default:<8g} {p.low:g} to {p.high:g}: {p.text}")


@cli.command()
@click.argument("spec", metavar="[SPEC.toml]", required=False)
def warmup(spec):
    """Compile once, for instance when an image is built: what SPEC needs, or what most runs do."""
    from evo.spec import CircuitBounds, RunSpec, read_alone
    from evo.warm import warm_up
    from fitness.registry import is_own

    resolved = read_alone(spec) if spec else RunSpec(task={"name": "coincidence"})
    if is_own(resolved.task["name"]):  # its code is executed by run and resume alone: what it needs is the models'
        models = resolved.circuit.model_dump(include={"neuron_model", "synapse_model", "noise_mv"})
        resolved = RunSpec(task={"name": "coincidence"}, circuit=CircuitBounds(**models))
    warm_up(resolved, None)
    click.echo("compiled")


def _subject(path):
    """What DIR, MOTIF.json or zoo:NAME stands for."""
    from circuits.motif_file import load
    from circuits.zoo import zoo
    from evo.run_folder import Run

    if path.startswith(ZOO):
        return zoo[path.removeprefix(ZOO)]
    return Run(path) if Path(path).is_dir() else load(path)


def _console():
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def _announce(spec, source, folder):
    own = f"  (runs the code in {spec.task['name'].rpartition(':')[0]})" if source is not None else ""
    click.echo(f"task {spec.task['name']}{own}, run folder {folder}")


def _compile(spec, source):
    """Compile now, so that the progress shown later is the search's; say so if it takes a while."""
    from threading import Timer

    from evo.warm import warm_up

    notice = Timer(2.0, click.echo, ["compiling, once per machine: about half a minute"])
    notice.start()
    try:
        warm_up(spec, source)
    finally:
        notice.cancel()


@contextmanager
def _observing(spec, folder, before, log):
    """What looks on while a run goes on: the live table, the page, and loggers."""
    from rich.console import Console

    from evo import loggers
    from evo.inspect.refresh import Refresher
    from evo.progress import Progress

    with ExitStack() as stack:
        observers = [stack.enter_context(loggers.opened(where, spec, folder.resolve().name)) for where in log]
        observers += [Refresher(folder), stack.enter_context(Progress(spec, folder.name, before, Console()))]

        def observe(result):
            for each in reversed(observers):
                each(result)

        yield observe


def _finish(done):
    from evo.inspect import page

    written = page.write(done, page.default_path(done.folder))
    best = done.front[0]
    click.echo(
        f"best held-out score {best.held_out:.3f} ({best.excitatory} E, {best.inhibitory} I), "
        f"{len(done.front)} circuits on the front"
    )
    if done.saved:
        click.echo(f"giving up hopeless circuits saved {done.saved:.1%} of the simulation")
    click.echo(f"page: {written}\nmore: evo inspect {done.folder}")


class _stopping:  # noqa: N801 - reads as a statement
    """SIGTERM (batch systems send it before the time limit) stops like Ctrl-C: cleanly, saying how to go on."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        # not by way of SIGINT, which scripts have their background jobs ignore
        self.before = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def __exit__(self, _, error, __):
        signal.signal(signal.SIGTERM, self.before)
        while error is not None and not isinstance(error, KeyboardInterrupt):
            error = error.__context__  # numpy makes a TypeError of an interrupted comparison
        if error is not None:
            click.echo(f"stopped; everything finished is stored. Go on with: evo resume {self.folder}", err=True)
            self._page()
            raise SystemExit(130) from None

    def _page(self):
        """The page as of the end, as far as a moment goes: who stopped the run may be in a hurry."""
        from evo.inspect import page
        from evo.run_folder import Run

        with suppress(UserError, MachineError):
            page.write(Run(self.folder), page.default_path(self.folder), seconds=1.0)


def main():
    """Entry point of the `evo` command."""
    try:
        cli(standalone_mode=False)
    except UserError as error:
        _fail(error, 2)
    except MachineError as error:
        _fail(error, 1)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        _fail("stopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), 1)


def _fail(message, code):
    click.echo("evo: " + " ".join(str(message).split()), err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
