"""Runs on a cluster: several nodes on this machine, some of which are not as they should be."""

import textwrap

import pytest

import evo
from tests.evo.machines import machines
from tests.evo.tiny import OWN_TASK, own_task_spec, process, spec_file, stored
from tests.products import some_of

pytestmark = pytest.mark.long

ODD = {"EVO_TEST_ODD": "1"}  # what the workers of one node see
EVERYTHING = [(island, epoch) for island in range(3) for epoch in range(3)]


@pytest.fixture(scope="module")
def cluster():
    with machines({}, ODD) as found:
        yield found


@pytest.fixture
def small_cluster():
    """The head, which does not compute, and one more: a node has several processes, each of which imports Ray."""
    with machines({}) as found:
        yield found


def on(cluster, folder, *options, timeout=300):
    """Run the spec in a folder on a cluster, by the command line."""
    return process(folder, "run", "tiny.toml", "--out", "run", "--address", cluster.address, *options, timeout=timeout)


def test_a_run_on_a_cluster_ends_in_the_same_archive_and_says_that_anyone_could_use_it(small_cluster, tmp_path):
    undisturbed = evo.run(spec_file(tmp_path), tmp_path / "undisturbed", workers=0)
    done = on(small_cluster, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"Ray at {small_cluster.address} asks for no token" in done.stderr
    assert evo.open_run(tmp_path / "run").archive_sha256 == undisturbed.archive_sha256
    assert stored(tmp_path / "run") == EVERYTHING


ON_THE_ODD = {
    "raises": "raise OSError('no such file')",
    "is_not_finite": "return np.full(len(trials), np.nan) * fired",
    "hangs": "time.sleep(600)",
}


@pytest.mark.slow
@pytest.mark.parametrize("fails", some_of(ON_THE_ODD, few=["raises"]))
def test_a_task_that_fails_on_one_machine_only_is_tried_on_another_and_that_is_said(cluster, tmp_path, fails):
    judge = f"if os.environ.get('EVO_TEST_ODD'):\n            {ON_THE_ODD[fails]}\n        return fired == trials.labels"
    code = "import os, time\n" + textwrap.dedent(OWN_TASK).replace("return fired == trials.labels", judge)
    own_task_spec(tmp_path, code, task_seconds=8, islands=4)
    undisturbed = evo.run(tmp_path / "tiny.toml", tmp_path / "undisturbed-4", workers=0)
    done = on(cluster, tmp_path)
    assert done.returncode == 0, done.stderr
    failed = [line for line in done.stderr.splitlines() if "failed on machine" in line]
    assert len(failed) == 1, done.stderr
    assert "task Agree" in failed[0]
    run = evo.open_run(tmp_path / "run")
    assert run.archive_sha256 == undisturbed.archive_sha256
    assert run.failed == (0, None)
