"""Genomes as circuits for a judge, decoded on demand."""

import numpy as np

from circuits.circuit import Circuit
from evo.genome.genomes import tables, to_circuit
from evo.genome.record import Encoding


class Candidates:
    """The circuits encoded by genomes [n]: `fitness.judges.judge.Candidates`. Index it with a slice or an index array."""

    def __init__(self, genomes: np.ndarray, encoding: Encoding, inputs: tuple[str, ...], outputs: tuple[str, ...]):
        self.genomes, self.encoding, self.inputs, self.outputs = genomes, encoding, inputs, outputs

    def __len__(self) -> int:
        return len(self.genomes)

    def __getitem__(self, selection) -> "Candidates":
        return Candidates(self.genomes[selection], self.encoding, self.inputs, self.outputs)

    @property
    def dt_ms(self) -> float:
        return self.encoding.bounds.dt_ms

    def circuit(self, k: int) -> Circuit:
        return to_circuit(self.genomes[k], self.encoding, self.inputs, self.outputs)

    def tables(self, refine: int = 1):
        return tables(self.genomes, self.encoding, self.inputs, self.outputs, refine)
