"""Simulating circuits: the kernel, what goes in and what comes out."""
