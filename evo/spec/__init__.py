"""The run spec: its keys, its files, and the memory of a run."""
