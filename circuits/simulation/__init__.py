"""Simulation of circuits: the kernel, its inputs and its results."""
