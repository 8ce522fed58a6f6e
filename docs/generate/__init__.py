"""A Sphinx extension: writes the pages of `reference/` from classes, the run spec, the command line and results."""

from generate import algorithms, models, python, results, spec, tasks


def setup(app):
    for part in (tasks, models, algorithms, spec, python, results):
        part.write()
    return {"parallel_read_safe": True}
