"""Genomes as a judge gets them: circuits, decoded when it asks for them."""

import numpy as np

from circuits.circuit import Circuit
from evo.genome.genomes import tables, to_circuit
from evo.genome.record import Encoding


class Candidates:
    """Circuits that genomes [n] encode: `fitness.judges.judge.Candidates`. A slice, or an index array, gives some of them."""

    def __init__(self, genomes: np.ndarray, form: Encoding, inputs: tuple[str, ...], outputs: tuple[str, ...]):
        self.genomes, self.form, self.inputs, self.outputs = genomes, form, inputs, outputs

    def __len__(self) -> int:
        return len(self.genomes)

    def __getitem__(self, chosen) -> "Candidates":
        return Candidates(self.genomes[chosen], self.form, self.inputs, self.outputs)

    @property
    def dt_ms(self) -> float:
        return self.form.bounds.dt_ms

    def circuit(self, k: int) -> Circuit:
        return to_circuit(self.genomes[k], self.form, self.inputs, self.outputs)

    def tables(self, refine: int = 1):
        return tables(self.genomes, self.form, self.inputs, self.outputs, refine)
