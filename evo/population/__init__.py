"""Individuals, the archive of the best, and where each came from."""
