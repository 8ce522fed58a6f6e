"""A user's own code: which files it is, how it is loaded, and how long it may take."""
