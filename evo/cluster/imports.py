"""Import path of Ray's workers: that of the driver, without the folder that it happens to be started in."""

import os
import sys


def search_path() -> list[str]:
    """Import path of this process, in order, whatever folder another process works in."""
    return [os.path.abspath(place) if not place or os.path.exists(place) else place for place in sys.path]


def job(first: list[str]):
    """Settings of a job whose workers look for modules in `first`, in this order, before anywhere else.

    Ray itself would put the working folder before all else, and that of the script, unless it has sent the working folder: a
    fitness.py or a random.py that lies there would be imported by the workers and not by the driver.
    """
    from ray.job_config import JobConfig

    class Job(JobConfig):
        def _runtime_env_has_working_dir(self):
            return True

    return Job(_py_driver_sys_path=first[::-1])  # a worker inserts one after the other at the front
