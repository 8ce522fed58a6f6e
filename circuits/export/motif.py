"""The motif file itself; it holds no example."""

from circuits.motif_file import save

FORMS: dict = {"motif file": {}}


def write(motif, path, example_input=None):
    """Write the motif file `path`."""
    save(motif, path)
