"""What several runs, or variants of a circuit, tell together."""
