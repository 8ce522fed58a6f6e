"""The run spec: what a run is, from which files, and what it takes."""
