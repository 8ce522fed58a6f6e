"""The lab: evo lab."""

from pathlib import Path

import click

from circuits.errors import UserError, harmless
from evo.cli.group import cli


@cli.command()
@click.argument("folder", metavar="[FOLDER]", required=False)
@click.option(
    "--host", default="127.0.0.1", metavar="ADDR", help="Listen at another address than this machine's own 127.0.0.1."
)
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="The port [default: the first free one from 8642].")
@click.option("--demo", is_flag=True, help="Show a copy of the small runs that ship, for a tour.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
def lab(folder, host, port, demo, no_browser):
    """Watch runs live in the browser, compare them, and change their circuits to see what happens.

    FOLDER holds run folders, at any depth [default: runs, or else the working folder]. Looking at a run executes nothing
    that lies in its folder. Ctrl-C ends the lab; searches that run go on.
    """
    from evo.web.serve import LOOPBACK, demo_runs, serve

    if demo:
        if folder is not None:
            raise UserError("--demo has runs of its own; leave FOLDER out")
        folder = demo_runs()
    root = Path(folder) if folder is not None else Path("runs") if Path("runs").is_dir() else Path()
    if host not in LOOPBACK:
        click.echo(
            f"evo: warning: at {host} whoever gets to know the address can start runs and read those in "
            f"{harmless(str(root))}, over a connection that others can listen to; ssh -L keeps it to yourself",
            err=True,
        )
    serve(root, host, port, not no_browser, lambda address: click.echo(f"lab: {address} (Ctrl-C ends it)"))
