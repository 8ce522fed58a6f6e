"""The motif file itself; it holds no example."""

from circuits.motif_file import save


def write(motif, path, example_input=None):
    """Write the motif file `path`."""
    save(motif, path)
