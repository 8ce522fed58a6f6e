"""Data sets of spike patterns for training, generated or read from a file.

They are numpy arrays; `torch.from_numpy(spikes).float()` and a transpose to [steps, trials, channels] make them the input of a
`MotifNetwork`. `circuits.on_grid` makes such arrays of spike times in ms.

    train, test = data.randman(train=2000, test=500, seed=0)
    train.spikes, train.targets     bool [trials, steps, channels], int64 or float64 [trials]

- `itd`: direction of a sound, from the phase difference between two ears
- `randman`: classes that are smooth manifolds of spike times
- `yin_yang`: the part of the yin-yang sign in which a point lies
- `digits`: handwritten digits of 8 x 8 pixels
- `heidelberg`: spoken digits, from a file of the Spiking Heidelberg Digits
"""

from circuits.data.digits import digits
from circuits.data.heidelberg import heidelberg
from circuits.data.itd import itd
from circuits.data.randman import randman
from circuits.data.split import Data, Split
from circuits.data.yin_yang import yin_yang

__all__ = ["Data", "Split", "digits", "heidelberg", "itd", "randman", "yin_yang"]
