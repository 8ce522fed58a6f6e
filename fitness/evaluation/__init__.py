"""Scores and objectives of many circuits on the trials of a task."""
