"""Running a search: evo run, resume, fork, status."""

import json
import signal
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from shlex import quote

import click

from circuits.errors import MachineError, UserError, harmless
from evo.cli.group import cli
from evo.cli.terminal import console, say_code

SPEC = "run.toml"
WORKERS = click.option(
    "--workers",
    default="auto",
    metavar="N|auto",
    help="Number of processes; 0 runs everything in this process, without Ray. The result is the same.",
)
ADDRESS = click.option("--address", metavar="ADDR", help="Use a running Ray: auto, or HOST:PORT.")


def _known_loggers(_context, _option, places):
    from evo.loggers import parts

    for place in places:
        parts(place)
    return places


_LOG = click.option(
    "--log",
    multiple=True,
    metavar="KIND:PLACE",
    callback=_known_loggers,
    help="Log every generation also to tensorboard:DIR or mlflow:URI.",
)


@cli.command()
@click.argument("spec", metavar="SPEC.toml")
@click.option("--out", metavar="DIR", help="The run folder [default: the first free runs/NAME-1, runs/NAME-2, ...].")
@WORKERS
@ADDRESS
@click.option("--seed", type=int, help="Overrides search.seed.")
@click.option("--generations", type=int, metavar="G", help="Overrides search.generations.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Overrides a setting, such as task.volleys=2.")
@_LOG
def run(spec, out, workers, address, seed, generations, settings, log):
    """Run a search from a run spec: a file, or the name of a task for the spec that evo new writes.

    Executes the code of a task of your own.

    \b
    evo run my.toml --set search.islands=8 --set task.detectors=2
    evo run gate --generations 50
    """
    from evo.running import search
    from evo.spec.resolve import as_changes, resolve

    overrides, changes = {"seed": seed, "generations": generations}, as_changes(settings)
    resolved, source, stem, ships = resolve(spec, changes, say_code, **overrides)
    folder = Path(out) if out is not None else search.free_folder(stem)
    if ships:
        click.echo(f"{spec}: the spec that ships with evocircuits; a copy to change: evo new {quote(spec)} -o FILE")
    else:
        _say_left_fixed(resolved, source, spec)
    start = partial(search.run, spec, folder, workers, address, changes=changes, **overrides)
    _carry_out(start, resolved, source, folder, log)


@cli.command()
@click.argument("folder", metavar="DIR")
@WORKERS
@ADDRESS
@click.option("--generations", type=int, metavar="G", help="Continue to generation G, whatever else has ended the run.")
@_LOG
def resume(folder, workers, address, generations, log):
    """Continue a stopped run; it ends in the archive of a run that was never stopped.

    Executes the code of a task of your own that lies in the folder, unless the code was changed since the run began.
    """
    from evo.running import search
    from evo.storage.run_folder import read_spec
    from evo.storage.task_code import checked_code

    spec = read_spec(Path(folder))
    source = checked_code(spec, Path(folder))
    say_code(spec, Path(folder))
    start = partial(search.resume, folder, workers, address, generations=generations)
    _carry_out(start, spec, source, Path(folder), log, resumes=True)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting to change, such as search.seed=2.")
@click.option("--out", metavar="DIR", help="The new run folder [default: the first free DIR-1, DIR-2, ...].")
@WORKERS
@ADDRESS
@_LOG
def fork(folder, settings, out, workers, address, log):
    """Start a new run from the circuits of another, with changed settings.

    \b
    evo fork runs/itd-1 --set search.algorithm=cma     evolve weights only
    evo fork runs/itd-1 --set task.detectors=4 --set search.generations=500

    Executes the code of a task of your own that lies in the folder, unless the code was changed since that run began.
    """
    from evo.running import search
    from evo.spec.resolve import as_changes
    from evo.storage.fork import forked
    from evo.storage.run_folder import read_spec
    from evo.storage.task_code import forked_code

    changes, parent = as_changes(settings), Path(folder)
    parent_spec = read_spec(parent)
    spec = forked(parent_spec, changes)
    source = forked_code(parent_spec, spec, parent, say_code)
    target = Path(out) if out is not None else search.free_folder(parent.resolve().name, parent.parent)
    _carry_out(partial(search.fork, parent, changes, target, workers, address), spec, source, target, log)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(folder, as_json):
    """Show the state of a run: running, stopped or finished."""
    from evo.storage.run_folder import Run

    run = Run(folder)
    s = run.spec.search
    facts = {
        "state": run.state,
        "ended_by": run.progress.ended,
        "generation": run.generation,
        "generations": s.generations,
        "evaluations": run.evaluations,
        "saved_share": run.saved,
        "elapsed_s": run.progress.elapsed,
        "failed": run.failed[0],
        "front": len(run.front),
        "best_held_out": run.front[0].held_out if run.front else None,
        "best_worst": run.front[0].worst if run.front and run.front[0].condition else None,
        "archive_sha256": run.archive_sha256,
        "parent": run.parent,
        "founders": run.founders,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    best = "nothing found yet" if facts["best_held_out"] is None else _scores(run.front[0])
    name = harmless(folder)
    click.echo(f"{name}: {run.state}, generation {run.generation} of {s.generations}, {run.evaluations:,} evaluations, {best}")
    if run.parent:
        click.echo(f"forked from {harmless(run.parent['run'])} at its generation {run.parent['generation']}")
    if run.founders:
        click.echo(f"founders: {harmless(', '.join(founder['name'] for founder in run.founders))}")
    if run.progress.ended not in (None, "generations"):
        click.echo(f"ended by search.{run.progress.ended}; go on with: evo resume {quote(name)} --generations G")
    if run.failed[0]:
        click.echo(f"{run.failed[0]:,} times a circuit got the worst score because of: {harmless(run.failed[1])}")
    if run.saved:
        click.echo(f"early stopping saved {run.saved:.1%} of the simulation")
    if run.state == "stopped":
        click.echo(f"go on with: evo resume {quote(name)}")


def _say_left_fixed(spec, source, path):
    """Warn of time constants that a spec does not name, and that therefore do not evolve: easily overlooked."""
    from evo.spec.starter import left_fixed

    if fixed := left_fixed(spec, source):
        ranges = ", ".join(f"{key} = {value}" for key, value in fixed.items())
        click.echo(
            f"{path}: [circuit.parameters] leaves out {', '.join(fixed)}: fixed at their defaults in all neurons; to evolve "
            f"them write {ranges}, as evo new does, or name the values that you want"
        )


def _announce(spec, folder):
    files = ", ".join(dict.fromkeys(name.rpartition(":")[0] for name in spec.own_code.values()))
    own = f"  (runs the code in {files})" if files else ""
    click.echo(harmless(f"{spec.title}{own}, run folder {folder}"))


def _compile(spec, source):
    """Compile now, so that the progress shown later is the search's; say so if it takes a while."""
    from threading import Timer

    from circuits.numerics.compiled import cache_folder
    from evo.cluster.warm_up import warm_up
    from evo.spec.memory import keep_freed

    keep_freed()
    once = ", once per machine" if cache_folder() else ""
    notice = Timer(2.0, _notice, [f"compiling{once}: about half a minute"])
    notice.start()
    try:
        warm_up(spec, source)
    finally:
        notice.cancel()


def _notice(text):
    """Print from another thread; a closed pipe is no error there."""
    with suppress(OSError):
        click.echo(text)


def _carry_out(start, spec, source, folder, log, resumes=False):
    """Announce a search, compile for it, run it by `start(observe=...)` with the live table, the page and loggers, and say how
    it ended."""
    from evo import loggers
    from evo.inspect.watching import watching
    from evo.storage.run_folder import Run
    from evo.storage.stored import STORE

    _announce(spec, folder)
    _compile(spec, source)
    before = Run(folder).epochs if resumes and (folder / STORE).exists() else []
    with _stopping(folder), ExitStack() as stack:
        name = folder.resolve().name
        opened_loggers = [stack.enter_context(loggers.opened(place, spec, name, folder, before)) for place in log]
        observe = stack.enter_context(watching(spec, folder, before, others=opened_loggers, console=console()))
        result = start(observe=observe)
    _finish(result)


def _scores(member, label="best held-out score") -> str:
    """The held-out score of a circuit, and that in its worst condition."""
    worst = (
        "" if member.condition is None else f", {member.worst:.3f} in its worst condition ({harmless(member.condition.name)})"
    )
    return f"{label} {member.held_out:.3f}{worst}"


def _finish(run):
    from evo.inspect import page

    page_path = page.write(run, page.default_path(run.folder))
    best = run.front[0]
    click.echo(f"{_scores(best)} ({best.excitatory} E, {best.inhibitory} I), {len(run.front)} circuits on the front")
    validated = [member for member in run.front if member.validation == member.validation]
    selected = max(validated, key=lambda member: (member.validation, member.held_out), default=best)
    if selected.rank != best.rank:
        text = f"rank {selected.rank}, best on validation trials, whose {_scores(selected, 'held-out score is')}"
        click.echo(f"selected without held-out trials, and shown during the search: {text}")
    if run.saved:
        click.echo(f"early stopping saved {run.saved:.1%} of the simulation")
    click.echo(f"page: {page_path}\nmore: evo inspect {quote(str(run.folder))}")


def _by_signal(error):
    """Ctrl-C, or SIGTERM, also while Ray starts and makes a SystemExit of it."""
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code == signal.SIGTERM)


class stopping:  # noqa: N801 - reads as a statement
    """SIGTERM (batch systems send it before the time limit) stops like Ctrl-C: cleanly, and saying how to go on if `file`
    exists in the folder, as it must for that."""

    def __init__(self, folder: Path, file: str, go_on: str):
        self.folder, self.file, self.go_on = folder, file, go_on

    def __enter__(self):
        # not by way of SIGINT, which scripts have their background jobs ignore
        self.before = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def __exit__(self, _, error, __):
        signal.signal(signal.SIGTERM, self.before)
        while error is not None and not _by_signal(error):
            error = error.__context__  # numpy makes a TypeError of an interrupted comparison
        if error is not None:
            if (self.folder / self.file).exists():
                click.echo(f"stopped; everything finished is stored. Go on with: {self.go_on}", err=True)
                self._stored()
            else:
                click.echo("stopped before anything was stored", err=True)
            raise SystemExit(130) from None

    def _stored(self):
        """Hook for a stop after something was stored."""


class _stopping(stopping):  # noqa: N801
    """Stopping of a run, which writes its page once more."""

    def __init__(self, folder):
        super().__init__(folder, SPEC, f"evo resume {quote(str(folder))}")

    def _stored(self):
        """Write a last page, with little in it that takes time: the user may be in a hurry."""
        from evo.inspect import page
        from evo.storage.run_folder import Run

        with suppress(UserError, MachineError):
            page.write(Run(self.folder), page.default_path(self.folder), seconds=1.0)
