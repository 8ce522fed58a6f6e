"""What is tried out on a user's own task before a search begins."""
