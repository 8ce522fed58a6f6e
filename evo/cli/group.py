"""The command `evo`, to which the commands are added."""

import click

from circuits.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="evo")
def cli():
    """Evolve excitatory/inhibitory spiking microcircuits, look at them, and take them along as modules.

    \b
    evo tasks                          what circuits can be evolved for
    evo new itd -o my.toml             a commented spec to start from
    evo run my.toml                    run the search; Ctrl-C stops it, evo resume goes on
    evo inspect runs/my-1 --html       the circuits it found: a table, and a page
    evo export runs/my-1 --to torch    the best one as a PyTorch module
    evo listen runs/my-1 sound.wav     what an evolved sound localiser hears
    """
