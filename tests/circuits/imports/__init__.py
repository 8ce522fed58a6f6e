"""Motifs from files of other tools."""
