"""The version of evocircuits, read by pyproject.toml, `evo --version`, runs and exports."""

__version__ = "0.4.0"
