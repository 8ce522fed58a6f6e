"""What makes numbers fast, and the same on every machine."""
