"""Spikes of two ears from sound."""
