"""To MLflow: one run of the experiment "evocircuits" for each run folder."""

import logging
import time

from circuits.errors import MachineError
from evo.epochs import Result
from evo.loggers import scalars
from evo.spec import RunSpec

EXPERIMENT = "evocircuits"
AT_ONCE = 1000  # metrics that MLflow takes in one go
LONGEST = 500  # characters of a parameter


class Logger:
    """Logs to the tracking server or database at PLACE; a resumed run goes on in the same MLflow run, found by its name and
    the digest of its spec."""

    def __init__(self, place: str, spec: RunSpec, name: str):
        try:
            from mlflow.entities import Metric, Param
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise MachineError("MLflow is not installed: pip install 'evocircuits[mlflow]'") from None
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._metric, self._spec, self._place, self._failure = Metric, spec, place, MlflowException
        try:
            self._client = MlflowClient(place)
            found = self._client.get_experiment_by_name(EXPERIMENT)
            experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
            tags = {"evocircuits.run": name, "evocircuits.spec": spec.digest()}
            wanted = " and ".join(f"tags.`{key}` = '{_quoted(value)}'" for key, value in tags.items())
            before = self._client.search_runs([experiment], wanted)
            self._run = (
                before[0].info.run_id if before else self._client.create_run(experiment, run_name=name, tags=tags).info.run_id
            )
            if before:
                self._client.update_run(self._run, status="RUNNING")
            else:
                settings = [
                    Param(key, str(value)[:LONGEST]) for key, value in _flat(spec.model_dump(mode="json", exclude_none=True))
                ]
                self._client.log_batch(self._run, params=settings[:100])
        except Exception as error:  # what its many backends raise has no end
            raise MachineError(f"mlflow:{place}: {str(error).splitlines()[0][:300]}") from None

    def __call__(self, result: Result):
        now = int(time.time() * 1000)
        metrics = [self._metric(name, value, now, generation) for name, generation, value in scalars(result, self._spec)]
        for first in range(0, len(metrics), AT_ONCE):
            self._client.log_batch(self._run, metrics=metrics[first : first + AT_ONCE])

    def close(self):
        self._client.set_terminated(self._run)


def _flat(section, before=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _quoted(text):
    return text.replace("'", "")
