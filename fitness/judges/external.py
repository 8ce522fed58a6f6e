"""The judge of runs whose scores come from outside, through `evo.Evolver.tell`."""

from typing import NoReturn

from circuits.errors import UserError
from fitness.base.trials import Interface
from fitness.judges.judge import Judge

EXTERNAL = "told"  # [task] judge = "told"


class External(Judge):
    """Knows the interface of circuits, and judges none."""

    warms = False

    def __init__(self, interface: Interface, objectives: tuple[str, ...]):
        self.title, self.interface, self.objectives, self.cases = "scores told from outside", interface, objectives, None

    def evaluate(self, candidates, attempts=None) -> NoReturn:
        raise UserError('judge = "told": the scores come from outside: open it with evo.Evolver, or evo.Evolver.load(FOLDER)')

    def validate(self, candidates, bounds=True) -> NoReturn:
        self.evaluate(candidates)
