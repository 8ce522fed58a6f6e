"""Who breeds and who survives."""
