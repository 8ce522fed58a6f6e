"""Numbers as an analysis keeps them."""

import math

Number = float | None


def rounded(values):
    """The values with six digits; None for NaN."""
    return [None if math.isnan(v) else float(f"{v:.6g}") for v in map(float, values)]
