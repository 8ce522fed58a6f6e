"""The judge of runs whose scores come from outside, through `evo.Evolver.tell`."""

from typing import ClassVar, NoReturn

from circuits.errors import UserError
from fitness.judges.judge import Judge
from fitness.judges.section import judge_section


class External(Judge):
    """Knows the interface of circuits, and judges none."""

    warms = False
    computes: ClassVar[bool] = False
    check_section = staticmethod(judge_section)
    title = "scores told from outside"
    cases = None

    def __init__(self, section, setup, objectives, source=None, folder=None):
        super().__init__(section, setup, objectives)
        self.interface = judge_section(section).interface

    def evaluate(self, candidates, attempts=None) -> NoReturn:
        raise UserError('judge = "told": the scores come from outside: open it with evo.Evolver, or evo.Evolver.load(FOLDER)')

    def validate(self, candidates, bounds=True) -> NoReturn:
        self.evaluate(candidates)
