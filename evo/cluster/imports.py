"""Import path of Ray's workers: that of the driver, without its working folder."""

import os
import sys


def search_path() -> list[str]:
    """Import path of this process, in order, valid in any working folder."""
    return [os.path.abspath(entry) if not entry or os.path.exists(entry) else entry for entry in sys.path]


def job(first: list[str]):
    """Settings of a job whose workers look for modules in `first`, in this order, before anywhere else.

    Ray itself would prepend the working folder and that of the script, unless it has sent the working folder: the workers would
    import a fitness.py or a random.py from there, the driver would not.
    """
    from ray.job_config import JobConfig

    class Job(JobConfig):
        def _runtime_env_has_working_dir(self):
            return True

    return Job(_py_driver_sys_path=first[::-1])  # a worker inserts one after the other at the front
