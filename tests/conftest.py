"""What all tests share."""

from hypothesis import settings

settings.register_profile("machines differ", deadline=None)  # the first example may compile
settings.load_profile("machines differ")
