"""A recording as a judge: circuits shall fire as the measured neurons did."""

from functools import partial
from typing import ClassVar

from circuits.errors import UserError
from fitness.judges.simulated import Simulated
from fitness.recordings.compared import compared
from fitness.recordings.task import RecordingTask
from fitness.registry import of_section


class Recorded(Simulated):
    """Judge by the windows of a recording."""

    fits_data: ClassVar[bool] = True
    task: RecordingTask

    @classmethod
    def comparison(cls, section, folder, interface):
        try:
            task = of_section(section, folder=folder)
            return partial(compared, task) if task.interface == interface else None
        except (UserError, OSError):
            return None

    def inferred(self, ranges, rounds, rng):
        return self.task.inferred(self.search, ranges, rounds, rng)
