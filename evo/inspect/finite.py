"""Numbers as JSON has them."""

import math


def finite(value):
    """The value; None for a float that is infinite or NaN, for which JSON has no number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
