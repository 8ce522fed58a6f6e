"""Output for the terminal: tables, text and progress, and the same as JSON for machines."""
