"""Numbers as an analysis keeps them."""

import math

Number = float | None


def rounded(values):
    """Six digits are enough for a picture; None for what is not a number."""
    return [None if math.isnan(v) else float(f"{v:.6g}") for v in map(float, values)]
