"""Studies: many seeds, specs and settings, run as one thing and summed up."""
