"""The version of evocircuits, written here alone: for pyproject.toml, `evo --version`, and what runs and exports say."""

__version__ = "0.4.0"
