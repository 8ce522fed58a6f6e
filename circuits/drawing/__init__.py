"""Circuits, rasters and traces drawn with matplotlib."""
