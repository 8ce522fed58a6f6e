"""Epochs on Ray: joining or starting it, the code that its machines run, and a run's epochs as chained tasks."""
