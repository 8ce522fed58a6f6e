"""Checks of a user's own task before a search begins."""
