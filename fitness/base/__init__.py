"""Base classes of tasks, and the trials that they draw. Built-in tasks are in `fitness.tasks`."""
