"""The command `redroad`: every word of it, each importing only what it needs."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from edge import __version__
from edge.commands.command_line import (
    FILE,
    FOLDER,
    FileCommand,
    OneLineErrors,
    Within,
    aspect_option,
    label_option,
    rate_option,
    runtime_option,
    runtime_option_of,
    site_option,
    state_option,
    state_option_of,
)
from edge.common.program import Paths, paths_of
from edge.site import load_site

GENTLE = 10  # below a running unit's programs


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="redroad")
def main() -> None:
    """A street sign that counts heads and tells the people in its street how crowded it is."""


LASTING = "\n\nServes with the last site file that was right where the present one has a mistake."


def _program(name: str, help_text: str, *, lasting: bool = False) -> None:
    """Add one of the four programs as a command of its own.

    A lasting one does not end for a mistake in the site file: it reports it.
    """

    @main.command(name, help=help_text + LASTING * lasting)
    @site_option
    @runtime_option
    @state_option
    def command(site_file: Path | None, runtime: Path, state: Path) -> None:
        paths = paths_of(name, runtime, state)
        if lasting:
            from edge.site.last_good import load_or_kept

            site, mistake = load_or_kept(site_file, paths.state)
            _start(name, site, paths, mistake)
        else:
            _start(name, load_site(site_file), paths)


def _start(name: str, *arguments: Any) -> None:
    """Import and run one program; no program's libraries are loaded by another."""
    importlib.import_module(f"edge.{name}.main").run(*arguments)


_program("watch", "Watch: camera and head counter; sends Sightings.")
_program("decide", "Decide: densities and levels; sends Orders and States.")
_program(
    "show",
    "Show: LED panel, voice and beacon; falls back to the neutral text by itself.",
    lasting=True,
)
_program("report", "Report: outbox and MQTT upstream.", lasting=True)


@main.command()
@site_option
@runtime_option_of(None)  # never those of an installed unit: it may be running
@state_option_of(None)
def run(site_file: Path | None, runtime: Path, state: Path) -> None:
    """Run all four programs here, until Ctrl-C."""
    from edge.commands.run import Colours, supervise, where_to_look
    from edge.decide.decider import Decider

    site = load_site(site_file)  # a mistake is printed once, before anything starts
    Decider(site)  # and so are points that give no ground plane
    colours = Colours(sys.stdout.isatty())
    paths = Paths(runtime, state)
    for line in where_to_look(site, paths):
        click.echo(line)
    arguments = ["--runtime", str(runtime), "--state", str(state)]
    if site_file is not None:
        arguments += ["--site", str(site_file)]
    supervise(arguments, paths, colours.tell)
    click.echo("redroad: all programs have ended")


@main.command(cls=FileCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each picture.")
@click.option("--overlay", type=FOLDER, help="Also draw the counted heads into this folder.")
@click.option(
    "--state",
    type=FOLDER,
    help="A unit's state folder: the overlays show what it counts where nobody is, too.",
)
@click.option("--model", default="auto", show_default=True, help="A model of the manifest.")
@click.option(
    "--site",
    "-s",
    "site_file",
    type=FILE,
    help="Count as the unit of this site file does: in the part of the picture with the zones.",
)
@click.option(
    "--truth",
    "labels",
    type=click.Path(path_type=Path),
    help="Labels of these pictures (a table picture,x,y or picture,count; COCO, CVAT, labelme, "
    "Label Studio): tells how right the counts are.",
)
@label_option
@aspect_option
@rate_option
def count(
    files: tuple[Path, ...],
    model: str,
    site_file: Path | None,
    labels: Path | None,
    **options: Any,
) -> None:
    """Count the heads in pictures, folders of pictures and videos."""
    from edge.commands.count import PictureCounter, count_lines
    from edge.commands.labels import Truth, read_labels
    from edge.commands.overlays import overlays_in
    from edge.watch.video import Reading

    overlays = overlays_in(options.pop("overlay"), options.pop("state"))
    only, as_json = options.pop("label"), options.pop("as_json")
    truth = Truth(read_labels(labels, only)) if labels is not None else None
    site = None if site_file is None else load_site(site_file)
    counter, how = PictureCounter(model, site=site), Reading(**options)
    bad = False
    for line in count_lines(files, counter, overlays, how=how, truth=truth, as_json=as_json):
        click.echo(line.text, err=line.is_note)
        bad = bad or line.bad
    if bad:
        sys.exit(1)


@main.command(cls=FileCommand)
@click.argument("source", type=click.Path(path_type=Path))
@site_option
@click.option("--out", type=FOLDER, required=True, help="Folder for the tables and the plot.")
@click.option(
    "--every",
    "every_s",
    type=Within(min=0, min_open=True),
    help="Seconds between the frames taken from a video.  [default: every frame]",
)
@click.option(
    "--hold",
    "hold_s",
    type=Within(min=0.1, max=3600),
    default=None,
    help="Seconds for which a picture stands.  [default: 3 in a video, 60 in a folder]",
)
@click.option("--plot/--no-plot", default=True, help="Draw timeline.png too.")
@aspect_option
@rate_option
def replay(
    source: Path,
    site_file: Path | None,
    out: Path,
    **how: Any,
) -> None:
    """Run a recording through the whole way, as fast as it goes.

    SOURCE is a video, a folder of pictures, or a scenario of the simulated street, scene:NAME:
    morning, evening, surge, jam, streams, parade, knocked, covered, glare, fog, rain, umbrellas,
    hats, autumn, illuminations, infrared.
    """
    from edge.commands.replay.replay import replay_to

    # Without a site file there is no street whose metres could be known.
    site = None if site_file is None else load_site(site_file)
    for line in replay_to(source, site, out, **how):
        click.echo(line, err=line.startswith("redroad: "))


@main.command(cls=FileCommand)
@click.argument("picture", type=FILE, required=False)
@click.option("--point", "marked", multiple=True, metavar="x,y=X,Y", help="Px, then metres.")
@click.option("--points", "points_file", type=FILE, help="Points from a TOML or CSV file.")
@click.option("--camera-height", "camera_height_m", type=float, help="Metres above the ground.")
@click.option("--head-height", "head_height_m", type=float, help="Metres.  [default: 1.65]")
@click.option("--camera-foot", metavar="X,Y", help="The point straight below the camera.")
@click.option("--k1", type=float, help="Lens distortion (Brown), radii in half picture widths.")
@click.option("--k2", type=float)
@click.option("--site", "-s", "site_file", type=FILE, help="The site file to write [ground] into.")
@aspect_option
@click.option("--overlay", type=FILE, help="Draw grid, zones and figures into this picture.")
def calibrate(**options: Any) -> None:
    """Find the ground plane from four or more points marked in a picture.

    Without PICTURE the camera of --site gives one; without --site, that is the simulated street.
    Without points the site file's are checked again; where it has none, the overlay has a ruler of
    px to mark points by.
    """
    from edge.commands.calibrate.calibrate import calibrate as calibrate_site

    for line in calibrate_site(**options):
        click.echo(line)


@main.command()
@site_option
@runtime_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def check(site_file: Path | None, runtime: Path, state: Path, as_json: bool) -> None:
    """Is this unit fit for service; if not, what to do.

    A line for each part. A unit that runs meanwhile is asked, not disturbed. Ends with code 0 when
    the unit is fit for service, 1 when it is not, 2 when it could not be checked.
    """
    import json

    from edge.commands.check.check import check_all, verdict

    os.nice(GENTLE)
    findings = check_all(site_file, Paths(runtime, state))
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(finding.as_text())
        click.echo(verdict(findings))
    if any(not finding.ok for finding in findings):
        sys.exit(1)


@main.command("support-bundle")
@site_option
@runtime_option
@state_option
@click.option("--out", type=FILE, help="The file to write.  [default: here, named after the unit]")
@click.option("--log", "logs", type=FILE, multiple=True, help="A log that you kept, too.")
def support_bundle(
    site_file: Path | None, runtime: Path, state: Path, out: Path | None, logs: tuple[Path, ...]
) -> None:
    """Gather logs, states, versions and the check's answers into one file, to be sent to the maker.

    Texts only: no picture, and no secret; every part is bounded, and one that cannot be had says
    so in its place. Nothing is sent.
    """
    from edge.commands.bundle.bundle import write_bundle

    os.nice(GENTLE)
    bundle = write_bundle(site_file, Paths(runtime, state), out, logs)
    for note in bundle.notes:
        click.echo(f"redroad: {note}", err=True)
    click.echo(f"{bundle.file}: {bundle.size / 1e6:.2f} MB; look through it before you send it")


@main.group()
def sign() -> None:
    """What the panel shows."""


@sign.command("preview")
@site_option
@click.option(
    "--out", type=FOLDER, default=Path("out/sign"), show_default=True, help="Folder to write."
)
@click.option("--size", help="LEDs, such as 192x96, instead of the site's panel.")
def sign_preview(site_file: Path | None, out: Path, size: str | None) -> None:
    """Draw every page of every message as it looks in LEDs, and one sheet with all."""
    from edge.commands.sign import preview

    for path in preview(load_site(site_file), out, size):
        click.echo(path)


@main.group()
def levels() -> None:
    """The table of levels."""


@levels.command("draw")
@site_option
@click.option("--out", type=FILE, required=True, help="The SVG file to write.")
def levels_draw(site_file: Path | None, out: Path) -> None:
    """Draw the site's bands: where each level begins and ends, and after how long."""
    from edge.commands.levels import write_levels

    write_levels(load_site(site_file), out)
    click.echo(f"drew {out}")


@main.command()
@site_option
@click.option("--out", type=FILE, required=True, help="The PNG or PDF file to write.")
def label(site_file: Path | None, out: Path) -> None:
    """Draw the unit's label for its cabinet: name, code, fingerprint, and all three as a QR code.

    To be printed at 300 dpi on 100 x 62 mm. The code is a short form of the name, to be read out;
    the fingerprint is that of the unit's certificate, where the site file names one.
    """
    from edge.commands.label import write_label

    click.echo(write_label(load_site(site_file), out))


@main.group()
def voice() -> None:
    """The spoken warnings."""


@voice.command("build")
@site_option
@runtime_option
@state_option
@click.option(
    "--missing", is_flag=True, help="Only if a clip is missing, or its words have changed."
)
def voice_build(site_file: Path | None, runtime: Path, state: Path, missing: bool) -> None:
    """Speak every warning into a WAV file, check each, and print how long and how loud it is.

    Recordings of your own, in the folder voice.recordings of the site, take the place of any.
    """
    from edge.commands.voice import build_voice

    build_voice(load_site(site_file), paths_of("show", runtime, state), click.echo, missing=missing)


@main.group()
def view() -> None:
    """Where the camera looks."""


@view.command("accept")
@state_option
def view_accept(state: Path) -> None:
    """Take the camera's present view for the right one, after it was turned on purpose."""
    from edge.commands.view import accept

    click.echo(accept(state))


@main.group()
def camera() -> None:
    """Cameras on the network."""


@camera.command("find")
@click.option(
    "--wait",
    "wait_s",
    type=Within(min=0.5, max=60),
    default=4.0,
    show_default=True,
    help="Seconds in which cameras may answer.",
)
@click.option("--address", "addresses", multiple=True, metavar="HOST[:PORT]", help="Ask only this.")
@click.option("--user", help="Login, where a camera wants one.  [default: it is asked for]")
@click.option("--password-file", type=FILE, help="Its password.  [default: it is asked for]")
def camera_find(
    wait_s: float, addresses: tuple[str, ...], user: str | None, password_file: Path | None
) -> None:
    """Find ONVIF cameras: name, place, addresses of their streams, and what to write into the site.

    Asks once by WS-Discovery, on every network that this machine is in; each camera that answers
    is asked for its streams. The login is asked for, and neither kept nor logged.
    """
    from edge.commands.camera.details import Login
    from edge.commands.camera.find import Asked, find_cameras, read_password

    def ask(why: str) -> Login | None:
        if not sys.stdin.isatty():
            return None
        click.echo(f"  {why}", err=True)
        name = user or click.prompt("  user", err=True)
        return Login(name, click.prompt("  password", hide_input=True, err=True))

    login = None
    if user is not None and password_file is not None:
        login = Login(user, read_password(password_file))
    for line in find_cameras(wait_s, addresses, Asked(ask, login)):
        click.echo(line)
