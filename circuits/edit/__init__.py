"""Edits, lesions and variants of a circuit."""
