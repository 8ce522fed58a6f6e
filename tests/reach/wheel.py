"""What is installed from the wheel alone does all that needs no extra: python wheel.py, with the Python of that environment.

Run outside the clone by `make wheel`, with nothing of the clone on the path but in_process.py, beside this file. Every command
is called: those that search as `evo`, in processes of their own, the others in this process, since one of its own takes seconds
for each. What a command prints, and what the files that it writes tell people to type, must be a command that there is, with
options that it has.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from in_process import completed

EVO = Path(sys.executable).with_name("evo")
COMMAND = re.compile(r"\bevo ([a-z]+)((?: +[^\s`'\"<>;,&|)]+)*)")
NO_COMMANDS = {"is", "has"}  # prose
PROCESSES = {"--version", "warmup", "run", "resume", "fork"}
TOLD: set[tuple[str, str]] = set()
HELP: dict[str, str] = {}  # of every command


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        where_it_comes_from()
        learn()
        search()
        carry_away()
        own_task()
        told(*(path.read_text(errors="replace") for path in Path().rglob("*") if path.suffix in (".md", ".html", ".toml")))
        what_was_told_can_be_typed()
    print("the wheel does alone what it should")


def call(*arguments, code=0, said=""):
    """Call the command; what it prints."""
    if arguments[0] in PROCESSES:
        done = subprocess.run([EVO, *arguments], capture_output=True, text=True, timeout=1800)
    else:
        from evo.cli import main as entry

        done = completed(entry, Path(), ["evo", *arguments])
    line = f"evo {' '.join(arguments)}"
    if done.returncode != code or "Traceback" in done.stderr or said not in done.stdout + done.stderr:
        sys.exit(f"{line}: exit code {done.returncode}, expected {code} and {said!r}\n{done.stdout}\n{done.stderr}")
    print(f"  {line}", flush=True)
    told(done.stdout, done.stderr)
    return done.stdout


def where_it_comes_from():
    import circuits
    import evo
    import fitness

    for module in (circuits, evo, fitness):
        assert Path(module.__file__).is_relative_to(sys.prefix), f"{module.__file__} is not of this environment"
    assert call("--version").strip().endswith(evo.__version__)
    for extra in ("torch", "nir", "h5py", "networkx", "tensorboard", "mlflow"):
        assert subprocess.run([sys.executable, "-c", f"import {extra}"], capture_output=True).returncode, f"{extra} is there"


def learn():
    """The help of all commands in this process, since one of its own takes a second for each."""
    from click.testing import CliRunner

    from evo.cli import cli

    for command in re.findall(r"^  ([a-z]+)  ", call("--help").partition("Commands:")[2], re.MULTILINE):
        found = CliRunner().invoke(cli, [command, "--help"], prog_name="evo")
        assert found.exit_code == 0, f"evo {command} --help: {found.output}"
        HELP[command] = found.output
        told(found.output)
    assert {"run", "resume", "inspect", "export"} <= HELP.keys()
    for topic in ("tasks", "models", "objectives", "algorithms", "zoo"):
        call(topic)
    call("tasks", "gate", "-o", "gate.svg", said="gate.svg")
    call("models", "aeif_psc_exp")
    call("zoo", "gate-3")
    call("zoo", "-o", "zoo.svg")
    assert Path("gate.svg").stat().st_size > 5000
    assert Path("zoo.svg").stat().st_size > 5000


def search():
    """A search on Ray and one without it, and everything that is done with a run."""
    call("new", "gate", "-o", "my.toml")
    Path("my.toml").write_text(re.sub(r"^population = \d+", "population = 20", Path("my.toml").read_text(), flags=re.MULTILINE))
    call("warmup", "my.toml")
    for seed, workers in (("1", "0"), ("2", "2")):
        call("run", "my.toml", "--generations", "12", "--seed", seed, "--workers", workers, said="best held-out score")
    for arguments in (
        ("status", "runs/my-1", "--json"),
        ("resume", "runs/my-1", "--generations", "14", "--workers", "0"),
        ("inspect", "runs/my-1", "--html"),
        ("fork", "runs/my-1", "--set", "search.algorithm=cma", "--set", "search.generations=2", "--workers", "0"),
        ("prune", "runs/my-1"),
        ("motifs", "runs/my-1", "runs/my-2"),
        ("compare", "runs/my-1", "runs/my-2"),
    ):
        call(*arguments)
    call("lab", "--no-browser", code=1, said="evocircuits[lab]")
    assert "<!doctype html" in Path("runs/my-1/report.html").read_text().lower()


def carry_away():
    for target in ("motif", "nest", "brian2"):
        call("export", "runs/my-1", "--to", target)
    for target, remedy in (("torch", "torch"), ("sonata", "sonata"), ("graphml", "graphml"), ("nir", "nir")):
        call("export", "runs/my-1", "--to", target, code=1, said=f"evocircuits[{remedy}]")
    call("export", "zoo:itd-8", "--to", "motif", "-o", "itd.json", said="itd.json")
    call("inspect", "itd.json", "--html")
    import numpy as np
    from scipy.io import wavfile

    sound = np.random.default_rng(0).normal(size=(8000, 2))
    wavfile.write("sound.wav", 44_100, (sound * 3000).astype("i2"))
    call("listen", "itd.json", "sound.wav")


TASK = '''
import numpy as np
import fitness

class Agree(fitness.Task):
    """Answer when two inputs fire together."""
    inputs, outputs = ("a", "b"), ("yes",)
    dt_ms, duration_ms, chance = 1.0, 50.0, 0.5

    def make(self, rng, count):
        labels = np.arange(count) % 2
        spikes = np.zeros((count, 50, 2), bool)
        spikes[:, 9, 0] = True
        spikes[np.arange(count), np.where(labels, 9, 19), 1] = True
        return spikes, labels

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 0) == trials.labels
'''


def own_task():
    Path("agree.py").write_text(TASK)
    Path("own.toml").write_text('task.name = "agree.py:Agree"\n[search]\npopulation = 10\ngenerations = 2\nislands = 2\n')
    call("run", "own.toml", "--workers", "0", said="agree.py")


def told(*texts):
    """Keep the commands that a text tells people to type."""
    for text in texts:
        TOLD.update((name, rest.strip()) for name, rest in COMMAND.findall(text))


def what_was_told_can_be_typed():
    for name, rest in sorted(TOLD):
        if name in NO_COMMANDS:
            continue
        assert name in HELP, f"evo {name} {rest}: there is no such command"
        for option in re.findall(r"(?<!\S)-{1,2}[a-z][a-z-]*", rest):
            assert re.search(rf"(?<!\S){option}\b", HELP[name]), f"evo {name} {rest}: it has no option {option}"


if __name__ == "__main__":
    main()
