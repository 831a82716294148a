"""How words are read from the command line: options of several commands, and errors of one line."""

import errno
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge.common.errors import RedRoadError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

NO_OUTPUT = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


class Within(click.FloatRange):
    """A number between bounds; what is no number (nan) is beyond all of them."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """As click does, which takes nan for any number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


def _own_runtime() -> Path:
    """A folder of the user's own: an installed unit's are named by the environment."""
    base = os.environ.get("XDG_RUNTIME_DIR", f"/tmp/redroad-{os.getuid()}")
    return Path(base) / "redroad"


def _own_state() -> Path:
    base = os.environ.get("XDG_STATE_HOME", str(Path.home() / ".local/state"))
    return Path(base) / "redroad"


def runtime_option_of(envvar: str | None) -> Decorator:
    """Return --runtime; `envvar` names an installed unit's folder, None keeps away from it."""
    return _folder_option("--runtime", _own_runtime, envvar, "Folder of the sockets.")


def state_option_of(envvar: str | None) -> Decorator:
    """Return --state; `envvar` as for --runtime."""
    about = "Folder of what must last: a folder in it for each program."
    return _folder_option("--state", _own_state, envvar, about)


def _folder_option(
    name: str, default: Callable[[], Path], envvar: str | None, about: str
) -> Decorator:
    of_the_unit = "the installed unit's, or " if envvar else ""
    shown = f"{about}  [default: {of_the_unit}a folder of yours]"
    return click.option(name, type=FOLDER, default=default, envvar=envvar, help=shown)


site_option = click.option(
    "--site",
    "-s",
    "site_file",
    type=FILE,
    envvar="REDROAD_SITE",
    help="The site file; without one, the installed unit's, or the demonstration.",
)
runtime_option = runtime_option_of("REDROAD_RUNTIME")
state_option = state_option_of("REDROAD_STATE")


aspect_option = click.option(
    "--pixel-aspect",
    type=Within(0.25, 4.0),
    help="Width over height of a pixel that is not square.  [default: as the file says]",
)
rate_option = click.option(
    "--rate",
    type=Within(0.01, 1000),
    help="Pictures a second of a film without times.  [default: as the file says, or 25]",
)
label_option = click.option(
    "--label", multiple=True, help="Of the labels those that are heads or people, by name."
)


class FileCommand(click.Command):
    """A command for files: what is the name of a file is no option, even where it begins so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the names of files that begin with "-" as paths that do not; refuse empty ones,
        which would be this very folder.
        """
        if "" in args:
            ctx.fail("the name of a file is empty; name a file or a folder.")
        options = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        return super().parse_args(ctx, [_as_path(each, options) for each in args])


def _as_path(argument: str, options: set[str]) -> str:
    is_file = argument.startswith("-") and argument != "--" and Path(argument).exists()
    return f"./{argument}" if is_file and argument not in options else argument


class OneLineErrors(click.Group):
    """Every error of ours ends in one line per mistake and exit code 2; no traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print a RedRoadError as one line per mistake."""
        try:
            return super().invoke(ctx)
        except RedRoadError as error:
            for line in str(error).splitlines():
                click.echo(f"redroad: {line}", err=True)
            sys.exit(2)
        except OSError as error:
            if error.filename is not None or error.errno not in NO_OUTPUT:
                raise
            click.echo(f"redroad: the output cannot be written ({error.strerror})", err=True)
            # What is left of it would be tried once more at the end, and give a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(2)
