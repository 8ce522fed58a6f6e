"""Observers of a running search: the live table, the run's page, and observers of others."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from evo.inspect.page.refresh import Refresher
from evo.inspect.terminal.progress import Progress
from evo.spec.run_spec import RunSpec


@contextmanager
def watching(
    spec: RunSpec,
    folder: Path,
    before: Iterable[dict] = (),
    progress=True,
    page=True,
    others: Iterable = (),
    console: Console | None = None,
):
    """An observer of a run (`observe=`) that calls all of these, for the time of a `with` block.

    before    epochs that were stored when the run was resumed (`Run.epochs`)
    progress  show the progress: True, False, or "auto", which is on a terminal alone;   page  keep the run's page up to date
    others    further observers, called last;   console  where the progress is shown
    """
    with ExitStack() as stack:
        observers = [*others]
        if page:
            observers.append(Refresher(folder))
        if progress is True or (progress and sys.stdout is not None and sys.stdout.isatty()):
            observers.append(stack.enter_context(Progress(spec, folder.name, list(before), console or Console())))

        def observe(result):
            for observer in reversed(observers):
                observer(result)

        yield observe
