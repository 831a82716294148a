"""The command `redroad`: every word of it, each importing only what it needs."""

import os
import sys
from pathlib import Path

import click

from edge import __version__
from edge.errors import RedRoadError
from edge.program import Places
from edge.site import Site, load_site

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _default_runtime() -> Path:
    """systemd's folder for us, or one of the user's own."""
    base = os.environ.get("XDG_RUNTIME_DIR", f"/tmp/redroad-{os.getuid()}")
    return Path(os.environ.get("RUNTIME_DIRECTORY", f"{base}/redroad"))


def _default_state() -> Path:
    base = os.environ.get("XDG_STATE_HOME", str(Path.home() / ".local/state"))
    return Path(os.environ.get("STATE_DIRECTORY", f"{base}/redroad"))


site_option = click.option(
    "--site",
    "-s",
    "site_file",
    type=_FILE,
    help="The site file; without one, the demonstration on a simulated street.",
)
runtime_option = click.option(
    "--runtime",
    type=_FOLDER,
    default=_default_runtime,
    help="Folder of the sockets.  [default: $RUNTIME_DIRECTORY or a folder of yours]",
)
state_option = click.option(
    "--state",
    type=_FOLDER,
    default=_default_state,
    help="Folder of what must last: outbox, clips.  [default: $STATE_DIRECTORY or yours]",
)


class OneLineErrors(click.Group):
    """Every error of ours ends in one line per mistake and exit code 2; no traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; tell RedRoadError in plain words."""
        try:
            return super().invoke(ctx)
        except RedRoadError as error:
            for line in str(error).splitlines():
                click.echo(f"redroad: {line}", err=True)
            sys.exit(2)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="redroad")
def main() -> None:
    """A street sign that counts heads and tells the people in its street how crowded it is."""


def _program(name: str, help_text: str) -> None:
    """Add one of the four programs as a command of its own."""

    @main.command(name, help=help_text)
    @site_option
    @runtime_option
    @state_option
    def command(site_file: Path | None, runtime: Path, state: Path) -> None:
        site = load_site(site_file)
        _start(name, site, Places(runtime, state))


def _start(name: str, site: Site, places: Places) -> None:
    if name == "watch":
        from edge.watch.main import run
    elif name == "decide":
        from edge.decide.main import run
    elif name == "show":
        from edge.show.main import run
    else:
        from edge.report.main import run
    run(site, places)


_program("watch", "Watch: camera and head counter; sends Sightings.")
_program("decide", "Decide: densities and levels; sends Orders and States.")
_program("show", "Show: LED panel, voice and beacon; falls back to the neutral text by itself.")
_program("report", "Report: outbox and MQTT upstream.")
