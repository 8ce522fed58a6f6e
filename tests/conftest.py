"""What all tests share."""

import signal

from hypothesis import settings

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background of a script ignores it, its children too

settings.register_profile("machines differ", deadline=None)  # the first example may compile
settings.load_profile("machines differ")
