"""Fast numerics with the same results on every machine."""
