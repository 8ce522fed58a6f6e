"""Logging to MLflow: one run of the experiment "evocircuits" for each run folder."""

import logging
import os
import time
from functools import partial
from pathlib import Path

from circuits.errors import MachineError
from evo.loggers.logger import Generation
from evo.spec.run_spec import RunSpec

EXPERIMENT = "evocircuits"
AT_ONCE = 1000  # metrics that MLflow takes in one go
NEW_DATABASE_S = 20.0  # seconds of computing on a busy machine
LONGEST = 500  # characters of a parameter
PATIENCE = {  # short timeouts: evo itself tries again later
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class Logger:
    """Logs to the tracking server or database at PLACE; a resumed run goes on in the same MLflow run, found by its name and
    the digest of its spec."""

    patience = 0.0

    def __init__(self, place: str, spec: RunSpec, name: str):
        for key, value in PATIENCE.items():
            os.environ.setdefault(key, value)
        try:
            from mlflow.entities import Metric, Param
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise MachineError("MLflow is not installed: pip install 'evocircuits[mlflow]'") from None
        logging.getLogger("mlflow").setLevel(logging.CRITICAL)
        self._metric, self._param, self._spec, self._name = Metric, Param, spec, name
        self._open, self._run = partial(MlflowClient, place), ""
        if place.startswith("sqlite:///"):
            folder = Path(place.removeprefix("sqlite:///")).absolute().parent
            if not folder.is_dir():
                raise MachineError(f"mlflow:{place}: there is no folder {folder}")
            self.patience = NEW_DATABASE_S

    def prepare(self):
        self._client = self._open()

    def connect(self) -> bool:
        if self._run:
            return True
        existing = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = existing.experiment_id if existing else self._client.create_experiment(EXPERIMENT)
        tags = {"evocircuits.run": self._name, "evocircuits.spec": self._spec.digest()}
        query = " and ".join(f"tags.`{key}` = '{_quoted(value)}'" for key, value in tags.items())
        before = self._client.search_runs([experiment], query)
        run = before[0] if before else self._client.create_run(experiment, run_name=self._name, tags=tags)
        if before:
            self._client.update_run(run.info.run_id, status="RUNNING")
        if not run.data.params:
            settings = _flat(self._spec.model_dump(mode="json", exclude_none=True))
            self._client.log_batch(run.info.run_id, params=[self._param(k, str(v)[:LONGEST]) for k, v in settings][:100])
        self._run = run.info.run_id
        return bool(before)

    def reached(self, island: int) -> int:
        return max((metric.step for metric in self._client.get_metric_history(self._run, f"island_{island}/best")), default=-1)

    def write(self, rows: list[Generation]):
        """Log each generation's metrics in one batch, which MLflow stores whole or not at all."""
        now = int(time.time() * 1000)
        batch: list = []
        for row in rows:
            metrics = [self._metric(name, value, now, row.generation) for name, value in row.values.items()]
            if len(batch) + len(metrics) > AT_ONCE:
                self._client.log_batch(self._run, metrics=batch)
                batch = []
            batch += metrics
        self._client.log_batch(self._run, metrics=batch)

    def close(self, status: str):
        self._client.set_terminated(self._run, status)


def _flat(section, before=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _quoted(text):
    return text.replace("'", "")
