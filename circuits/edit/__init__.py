"""Circuits made from a circuit: with parts taken out, or changed."""
