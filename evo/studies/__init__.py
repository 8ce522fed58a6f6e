"""Studies of several runs, or of variants of a circuit."""
