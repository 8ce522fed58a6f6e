"""Scripts that exports carry. They run where their tool is installed, without evocircuits, and import nothing of it."""
