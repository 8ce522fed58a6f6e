"""Scores of circuits in trials, by condition, and their confidence intervals."""
