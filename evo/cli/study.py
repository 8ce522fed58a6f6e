"""Running many searches as one study: evo study, and its status, compare and resume."""

import json
from pathlib import Path
from shlex import quote

import click

from circuits.errors import UserError, harmless
from evo.cli.group import SETTINGS, Command, cli
from evo.cli.runs import ADDRESS, WORKERS, stopping
from evo.cli.terminal import console, say_code

RUN = "run"


class _OrRun(click.Group):
    """A group whose default command is `run`: evo study SPEC..."""

    command_class = Command

    def parse_args(self, ctx, args):
        """Take a first argument that is no command for an argument of `run`."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


@cli.group(cls=_OrRun, context_settings=SETTINGS)
def study():
    """Run many seeds, specs and settings as one study, and summarise the results.

    \b
    evo study runs/gate.toml runs/xor.toml --seeds 20
    evo study itd --seeds 10 --set search.crossover=0,0.5 --set task.detectors=2,4
    evo study status runs/study-1
    evo study compare runs/study-1 -o figure.pdf --csv runs.csv
    evo study resume runs/study-1

    evo study SPEC... is short for evo study run SPEC...
    """


@study.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@click.option("--seeds", default="10", show_default=True, metavar="N|A-B|A,B", help="How many, from 1; or which.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=A,B",
    help="Values of a setting, such as search.crossover=0,0.5: every combination is run.",
)
@click.option("--out", metavar="DIR", help="The folder of the study [default: the first free runs/study-1, runs/study-2, ...].")
@click.option("--target", type=float, default=0.9, show_default=True, metavar="SCORE", help="Held-out score to reach.")
@click.option("--worst", type=float, metavar="SCORE", help="Score to reach in the worst condition, too.")
@click.option("--until-target", is_flag=True, help="End a run once it has reached the target.")
@WORKERS
@ADDRESS
def run(specs, seeds, settings, out, target, worst, until_target, workers, address):
    """Run specs with many seeds and settings on the same workers; each run has a folder like that of evo run.

    SPEC is a file, or the name of a task for the spec that evo new writes. Ctrl-C stops a study, evo study resume continues it.
    search.seconds of a spec counts the seconds that the run's own epochs take of a core. Executes the code of tasks of your
    own.
    """
    from evo.running.search import free_folder
    from evo.running.study import begin_study
    from evo.studies.study.design import values_of

    varied = {}
    for setting in settings:
        key, equals, values = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: write KEY=VALUE or KEY=VALUE,VALUE, such as search.crossover=0,0.5")
        if key.strip() in varied:
            raise UserError(f"--set {setting}: {key.strip()} is set twice; write its values in one --set, separated by commas")
        varied[key.strip()] = values_of(values)
    folder = Path(out) if out is not None else free_folder("study")
    design = begin_study(list(specs), folder, seeds, varied, target, worst, until_target, say_code)
    arms, count = len(design.arms), len(design.runs)
    click.echo(harmless(f"{arms} x {len(design.seeds)} runs = {count}, folder {folder}"))
    _go_on(folder, workers, address)


@study.command()
@click.argument("folder", metavar="DIR")
@WORKERS
@ADDRESS
def resume(folder, workers, address):
    """Continue a stopped study; its runs end in the archives of runs that were never stopped.

    Executes the code of tasks of your own that lies in the run folders, unless the code was changed since the runs began.
    """
    _go_on(Path(folder), workers, address)


@study.command()
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(folder, as_json):
    """Show the progress of the runs of a study."""
    from evo.inspect.terminal import study_table
    from evo.studies.study.folder import Study

    study = Study(folder)
    if as_json:
        click.echo(json.dumps(study_table.status_as_json(study)))
        return
    study_table.show_status(study, console())
    if study.state == "stopped":
        click.echo(f"go on with: evo study resume {quote(harmless(folder))}")


@study.command()
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "table", metavar="FILE", help="Write a table with a row per run.")
@click.option("-o", "--out", metavar="FILE", help="Draw a figure (svg, pdf or png).")
def compare(folder, as_json, table, out):
    """Sum a study up: shares, medians, costs, tests, and the sentence for a methods section.

    Shares have Wilson's intervals, medians bootstrap intervals. Runs that did not reach the target count as censored (Kaplan
    and Meier). Each arm is compared with the first one of its task: the log-rank test for what it took to reach the target,
    Mann and Whitney's for scores; Holm's method corrects for the number of tests.
    """
    from circuits.motif_file import write_whole
    from evo.inspect.terminal import study_table
    from evo.studies.study.folder import Study
    from evo.studies.study.summary import summed_up

    study = Study(folder)
    if not any(run.over for run in study.runs):
        raise UserError(f"{folder}: none of its runs is over yet; go on with it by evo study resume {quote(folder)}")
    summary = summed_up(study)
    if as_json:
        click.echo(json.dumps(study_table.as_json(summary), allow_nan=False))
    else:
        study_table.show(study, summary, console())
    if table is not None:
        click.echo(f"table: {write_whole(Path(table), study.to_csv())}", err=as_json)
    if out is not None:
        from evo.inspect import study_figures

        click.echo(f"picture: {study_figures.draw(study, Path(out))}", err=as_json)


def _go_on(folder, workers, address):
    from evo.inspect.terminal.study_progress import StudyProgress
    from evo.running.study import resume_study
    from evo.spec.memory import keep_freed
    from evo.studies.study.design import STUDY
    from evo.studies.study.folder import Study

    keep_freed()
    go_on = f"evo study resume {quote(str(folder))}"
    with stopping(folder, STUDY, go_on), StudyProgress(Study(folder), console()) as progress:
        done = resume_study(folder, workers, address, progress)
    reached = sum(run.reached for run in done.runs)
    click.echo(f"{reached} of {len(done.runs)} runs reached {done.design.target:g}")
    click.echo(f"more: evo study compare {quote(str(folder))}")
