"""The circuits that evolve for learning, for bench_parts: each learns a smaller form of what the benchmark then asks of it.

For data over time the specs are committed, runs/learning/NAME.toml: shorter times, fewer parameters. For spoken digits a
circuit evolves on the speakers that are not left out, of which networks learn from two and are judged on the third, in turn;
inside of copies weights learn, or nothing where few examples are given. The speaker left out is in no part of such a file but
`test`, by which nothing is chosen. Circuits that were found are kept in runs/results/parts/.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import circuits
import evo
from circuits import Circuit
from tests.bench import spoken

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "runs" / "learning"
PARTS = ROOT / "runs" / "results" / "parts"
SPOKEN = ROOT.parent / "shared" / "data" / "spoken_digits.npz"
HELD_OUT = "theo"  # the speaker that few-shot learning is judged on
COMMITTED = ("flip-flop", "match", "parity", "intervals", "order", "route")
KINDS = {
    "flip-flop-clipped": "flip-flop",
    "flip-flop-long": "flip-flop",
    "match-frozen": "match",
    **{f"few-shot-{k}": "few-shot" for k in (1, 5, 20)},
}
LEARNING = {
    "digits": "parameters = 2000\nexamples = 600\nsteps = 120\nbatch = 32\nrate = 0.2\nrungs = 3",
    "few-shot": "parameters = 2000\nexamples = 50\nsteps = 100\nbatch = 16\nrate = 0.2\nrungs = 2\ntrainable = []",
}
DIGITS = """
[task]
name = "learning"
data = "digits.npz"
settings = {{ step_ms = 2.0, tail_ms = 20.0 }}
judged = 200
looks = 4
{learning}

[circuit]
neurons = [1, 5]
excitatory_share = [0.5, 1.0]
in_degree = 5
delay_ms = [2.0, 20.0]
excitatory_weight_mv = [1.0, 60.0]
inhibitory_weight_mv = [1.0, 60.0]

[circuit.parameters]
tau_m_ms = [5.0, 20.0]
tau_syn_e_ms = [2.0, 10.0]
tau_syn_i_ms = [2.0, 15.0]

[search]
seed = 1
trials = 2
generations = 8
islands = 2
population = 12
epoch = 2
held_out = 3
"""


def evolved(setting: str) -> Circuit:
    """The circuit evolved for learning what a setting asks; searched for where it has not been found yet."""
    kind = KINDS.get(setting, setting)
    path = PARTS / f"{kind}.json"
    if not path.exists():
        PARTS.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as folder:
            run = evo.run(spec_of(kind, Path(folder)), out=Path(folder) / "run", workers=0)
            circuits.save(run.motif(max(run.front, key=lambda member: member.validation).rank), path)
    return circuits.load(path).circuit


def bounds(setting: str) -> Path:
    """The spec in whose bounds circuits evolve for a setting; those of digits are as for data over time."""
    kind = KINDS.get(setting, setting)
    return SPECS / f"{kind if kind in COMMITTED else 'order'}.toml"


def spec_of(kind: str, folder: Path) -> Path:
    """The spec of a search: a committed one, or one that is written to the folder with its data."""
    family, _, speaker = kind.partition("-")
    if kind in COMMITTED:
        return SPECS / f"{kind}.toml"
    spoken.write(SPOKEN, speaker if family == "digits" else HELD_OUT, folder / "digits.npz")
    path = folder / "digits.toml"
    path.write_text(DIGITS.format(learning=LEARNING["digits" if family == "digits" else "few-shot"]))
    return path
