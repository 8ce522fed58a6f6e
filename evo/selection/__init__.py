"""Selection of parents and survivors."""
