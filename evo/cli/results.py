"""Inspecting and exporting the results of searches: evo inspect, motifs, export, prune, compare, listen, zoo."""

import json
from pathlib import Path

import click

from circuits.errors import UserError, harmless
from circuits.zoo import ZOO
from evo.cli.group import cli
from evo.cli.terminal import console, say_code, say_result


@cli.command()
@click.argument("path", metavar="DIR|MOTIF")
@click.option("--html", metavar="FILE", is_flag=False, flag_value="-", help="Write the report page [default: DIR/report.html].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(path, html, as_json):
    """Show the circuits of a run, or one motif: a motif file, zoo:NAME, or a circuit of another tool (see evo import)."""
    from evo.inspect import page
    from evo.inspect.terminal import table

    subject = _subject(path)
    say_result(table, as_json, subject)
    if html is not None:
        written = page.write(subject, page.default_path(Path(path.removeprefix(ZOO))) if html == "-" else Path(html))
        click.echo(f"page: {written}", err=as_json)


@cli.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-o", "--out", metavar="FILE", help="Draw the result as a picture (svg, png or pdf).")
@click.option("--lesions", is_flag=True, help="Also measure the loss of score when a connection of a motif is cut.")
@click.option("--against", "graph", metavar="GRAPH", help="Compare with a connectome: an edge list with signs, GraphML, ...")
def motifs(folders, as_json, out, lesions, graph):
    """Show what runs have in common: wirings that several runs evolved, and motifs more frequent than chance.

    DIR... are the folders of runs that differ in their seed. Of each run the smallest circuit counts that scores as well as its
    best.

    --lesions also measures the loss of score when a connection of a motif is cut, compared with other connections of the same
    kind in the same circuit. It executes the code of a task of your own that lies in a folder, unless the code was changed
    since the run began.

    --against compares these circuits (of runs, or motifs) with a measured connectome: which small E/I motifs are more frequent
    than in random graphs with the same signs and degrees?
    """
    if graph is not None:
        _against(folders, graph, as_json, out)
        return
    from evo.inspect import motif_picture
    from evo.inspect.terminal import motif_table
    from evo.storage.run_folder import Run
    from evo.studies.motifs import motifs as find
    from evo.studies.motifs.necessary import necessity

    results = find([Run(folder) for folder in folders])
    cut = necessity(results.winners, before_code=say_code) if lesions else None
    say_result(motif_table, as_json, results, cut)
    if out is not None:
        click.echo(f"picture: {motif_picture.draw(results, Path(out))}", err=as_json)


def _against(folders, graph, as_json, out):
    from evo.inspect.terminal import against_table
    from evo.studies.motifs.against import against, circuit_of

    comparison = against([circuit_of(_subject(folder)) for folder in folders], graph)
    say_result(against_table, as_json, comparison)
    if out is not None:
        click.echo(f"picture: {against_table.draw(comparison, Path(out))}", err=as_json)


@cli.command()
@click.argument("path", metavar="DIR|MOTIF")
@click.option("--to", "target", required=True, metavar="TARGET", help="One of the targets above.")
@click.option("--rank", default=0, show_default=True, metavar="K", help="Rank of the circuit in the front.")
@click.option("--role", metavar="NAME", help="The motif of one role of an assembly [default: the whole].")
@click.option("-o", "--out", metavar="PATH", help="Path to write to [default: in DIR/motifs/].")
def export(path, target, rank, role, out):
    """Export a circuit for use elsewhere.

    \b
    motif     the circuit as a file (JSON)
    torch     a folder with a trainable PyTorch module
    nest      a folder with a script for NEST
    brian2    a folder with a script for Brian2, all neuron models
    sonata    a folder with a SONATA network, for NEST's reader and others
    nir       a folder with NIR graphs, for snnTorch, Norse, SpikingJelly and others
    graphml   a file for graph tools: networkx, igraph, Gephi, yEd

    Folders come with an example trial and are checked against the simulator where the tool is installed. The outcome of each
    feature (exact, approximate, dropped) is stated on stderr and in the README.md of the folder.
    """
    from circuits.export import export as write
    from circuits.export import summary
    from evo.storage.run_folder import Run, is_run

    source, example, drive = Path(path), None, None
    if is_run(source):
        run = Run(source)
        motif, examples = run.motif(rank) if role is None else run.part(role, rank), run.examples
        if examples is not None:
            example, drive = examples.spikes[0], None if examples.driven is None else examples.driven[0]
        stem = source / "motifs" / (f"rank{rank}" if role is None else f"rank{rank}-{role}")
    else:
        if role is not None:
            raise UserError(f"{path}: --role is for run folders")
        motif = _subject(path)
        stem = Path(path.removeprefix(ZOO)) if path.startswith(ZOO) else source.with_suffix("")
    suffix = {"motif": ".json", "graphml": ".graphml"}.get(target, f"-{target}")
    written = write(motif, target, Path(out) if out else Path(f"{stem}{suffix}"), example_input=example, example_drive=drive)
    click.echo(summary(motif, target, written), err=True)
    click.echo(written)


@cli.command()
@click.argument("path", metavar="DIR|MOTIF")
@click.option("--rank", default=0, show_default=True, metavar="K", help="Rank of the circuit in the front.")
@click.option("-o", "--out", metavar="FILE", help="Path to write to [default: DIR/motifs/rankK-core.json, MOTIF-core.json].")
def prune(path, rank, out):
    """Write the core of a circuit: the smallest part that scores as well.

    Neurons and synapses are removed, the least harmful first, as long as the score on the same trials, and that in its worst
    condition, is not clearly lower (by 1.96 standard errors). The part that is left is scored on other trials.
    Where the core is not stored, executes the code of a task of your own that lies in the folder, unless the code was changed
    since the run began.
    """
    from circuits.motif_file import save
    from evo.storage.run_folder import is_run
    from evo.studies.prune import prune as pruned_circuit

    source = Path(path)
    pruned = pruned_circuit(source, rank, say_code)
    default = source / "motifs" / f"rank{rank}-core.json" if is_run(source) else source.with_name(f"{source.stem}-core.json")
    for name, motif, score in (("whole", pruned.motif, pruned.base), ("core", pruned.smaller, pruned.core)):
        e = int(motif.excitatory.sum())
        parts = f"{e} E, {len(motif.neurons) - e} I, {motif.synapse_count} synapses"
        worst = f", worst {score['worst']['score']:.3f} ({harmless(score['worst']['condition'])})" if "worst" in score else ""
        click.echo(f"{name:6}{parts:26}score {score['score']:.3f} (95 %: {score['low']:.3f} to {score['high']:.3f}){worst}")
    click.echo(f"removed {harmless(', '.join(pruned.core['removed'])) or 'nothing'}")
    if pruned.core["confirmed"]:
        click.echo(f"no neuron or synapse of the core can be removed alone; confirmed on {pruned.core['trials']} other trials")
    else:
        click.echo(f"not confirmed: on {pruned.core['trials']} other trials it scores clearly less than the whole circuit")
    click.echo(save(pruned.smaller, Path(out) if out else default))


@cli.command()
@click.argument("folders", metavar="DIR DIR...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(folders, as_json):
    """Show runs side by side, and effect sizes between specs that were run with several seeds.

    Runs whose specs differ only in the seed form a group. Effect sizes are Vargha and Delaney's A: the probability that a run
    of one spec scores better than a run of the first one.
    """
    from evo.inspect.terminal import comparison
    from evo.studies.compare import compare as compared

    runs = compared(folders)
    say_result(comparison, as_json, runs)


@cli.command()
@click.argument("path", metavar="DIR|MOTIF")
@click.argument("sound", metavar="FILE.wav")
@click.option(
    "--centre",
    type=float,
    metavar="HZ",
    help="Centre of the band to listen to [default: the strongest band that the circuit knows].",
)
def listen(path, sound, centre):
    """Let a sound localiser (task itd) listen to a stereo WAV file.

    A circuit knows the tones with which it was evolved. It listens in bands around them, and refuses sounds without energy
    there. Cycles that only one ear hears, or with the ears half a period apart, are left out: they do not tell which ear leads.

    zoo:itd-8 knows tones and noise from 140 to 700 Hz, from 90 degrees left to 90 degrees right; within 0.05 ms of where one
    direction ends and the next begins it names either of them, or none.
    """
    import fitness
    from circuits.motif_file import Motif
    from fitness.hearing.stereo import reaches

    subject = _subject(path)
    motif = subject if isinstance(subject, Motif) else subject.motif(0)
    settings = dict(motif.provenance.task or {})
    if settings.pop("name", None) != "itd":
        raise UserError(f"{path}: no sound localiser; circuits of the task itd can listen")
    task = fitness.task("itd", **settings)
    if centre is not None and not reaches(centre, *task.range_hz):
        low, high = (f"{tone_hz:g}" for tone_hz in task.range_hz)
        known = f"tones of {low} to {high} Hz" if low != high else f"a tone of {high} Hz"
        raise UserError(f"--centre: {path} was evolved for {known}, it does not know {centre:g} Hz")
    trials = task.trials_of_sound(sound, centre, task.range_hz)
    names = task.directions(motif, trials)

    def direction(k):
        return f"direction{k}  {task.directions_ms[k]:+.3f} ms"

    for start, k in zip(trials.facts["start_ms"], names, strict=True):
        click.echo(f"{start:10.1f} ms  {direction(k) if k >= 0 else 'undecided'}")
    best, count = task.summary(names)
    audible = int(trials.spikes.any(axis=(1, 2)).sum())
    sides = "; + is from the left, - from the right"
    if not count:
        click.echo(f"undecided: in none of {len(names)} stretches is one direction named more than the others")
    elif best is not None and 2 * count <= audible:
        few = f"in {count} of the {audible} stretches that have something to hear"
        click.echo(f"undecided: {direction(best)} is named most often, but only {few}{sides}")
    elif best is None:
        click.echo(f"undecided: several directions are named equally often, in {count} of {len(names)} stretches each{sides}")
    else:
        click.echo(f"mostly: {direction(best)}, in {count} of {len(names)} stretches{sides}")


@cli.command()
@click.argument("name", metavar="[MOTIF]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-o", "--out", metavar="FILE", help="Write the motif (json), or draw its wiring (svg, png or pdf).")
def zoo(name, as_json, out):
    """List the evolved motifs that ship, or show one: its score, the role of its parts, how it was found.

    \b
    evo zoo itd-8 -o itd-8.json        the motif as a file
    evo export zoo:itd-8 --to nest     other commands read it as zoo:itd-8
    evo zoo -o zoo.svg                 all of them on one sheet
    """
    from circuits.drawing.diagram import wiring
    from circuits.motif_file import save
    from circuits.zoo import zoo as shipped
    from evo.inspect import pictures, zoo_picture
    from evo.inspect.terminal import zoo_table

    parts = [name] if name in shipped.parts else list(shipped.parts)
    if name in parts and out is None:
        card = shipped.parts.card(name)
        click.echo(card.model_dump_json() if as_json else card.text)
        return
    cards = [shipped.card(key) for key in ([] if name in parts else [name] if name else shipped)]
    if as_json and cards:
        rows = zoo_table.as_json(cards)
        click.echo(json.dumps(rows[0] if name else rows))
    elif out is None and name:
        zoo_table.show_one(cards[0], shipped, console())
    elif out is None:
        zoo_table.show(cards, console())
        click.echo(f"parts, evolved for learning: {', '.join(parts)}; evo zoo NAME shows what they learn, and how fast")
    if out is not None and name and Path(out).suffix == ".json":
        click.echo(save(shipped[name], out), err=as_json)
    elif out is not None:
        figure = wiring(shipped[name]).figure if name else zoo_picture.sheet(shipped, shipped)
        click.echo(pictures.save(figure, Path(out)), err=as_json)


def _subject(path):
    """The run or motif that DIR or MOTIF names."""
    from circuits.imports import named
    from evo.storage.run_folder import Run, is_run

    return Run(path) if is_run(path) else named(path)
