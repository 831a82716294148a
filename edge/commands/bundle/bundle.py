"""`redroad support-bundle`: one file with all that a maker needs, and nothing that is secret.

Texts only, each bounded and each cleaned of secrets. A part that cannot be had says why in its
place, so that a unit that is half broken gives at least the other half.
"""

import importlib.metadata
import io
import json
import platform
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from edge.commands.bundle.redact import Redactor, redacted_site, redactor_of
from edge.commands.check.check import Finding, check_all, verdict
from edge.commands.check.machine import versions
from edge.common.atomic_write import atomic_write
from edge.common.clock import boot_id, time_plausible
from edge.common.errors import BundleError, RedRoadError
from edge.common.program import Paths
from edge.common.secret import HIDDEN
from edge.report.status import status_text
from edge.report.store import OUTBOX_FILE
from edge.site import load_site

TOOL_LIMIT_S = 15.0
JOURNAL_BYTES = 4_000_000
MEMBER_BYTES = 1_000_000
MOST_BYTES = 16_000_000
EVENTS_TOLD = 200
FILES_LISTED = 2000
JOURNAL = ("journalctl", "--no-pager", "--output=short-iso-precise", "--quiet")
UNITS = ("--unit=redroad.target", "--unit=redroad-*")
MACHINE: tuple[tuple[str, ...], ...] = (
    ("uptime",),
    ("free", "-m"),
    ("df", "-h"),
    ("df", "-i"),
    ("cat", "/proc/mounts"),
    ("ps", "-eo", "pid,ppid,user,stat,pcpu,rss,nlwp,etime,comm"),
    ("ip", "-brief", "address"),
    ("ip", "route"),
    ("timedatectl",),
    ("lsusb",),
    ("aplay", "-l"),
    ("vcgencmd", "get_throttled"),
)
SERVICES: tuple[tuple[str, ...], ...] = (
    ("systemctl", "--no-pager", "--lines=0", "status", "redroad.target", "redroad-*"),
    ("systemctl", "--no-pager", "list-units", "--failed"),
    ("systemd-analyze", "--no-pager", "critical-chain", "redroad.target"),
)


@dataclass(frozen=True)
class Member:
    """One text of the bundle: its name, how it is had, and how much of it at most (bytes)."""

    name: str
    make: Callable[[], str]
    most: int = MEMBER_BYTES


@dataclass(frozen=True)
class Bundle:
    """What was written, and what a person should know of it."""

    file: Path
    size: int
    notes: tuple[str, ...]


def write_bundle(
    site_file: Path | None, paths: Paths, out: Path | None, logs: Sequence[Path] = ()
) -> Bundle:
    """Gather everything into one .tar.gz. BundleError when that cannot be written."""
    redactor = redactor_of(site_file)
    notes = [f"no secret could be read, so none was looked for: {n}" for n in redactor.unread]
    texts = dict[str, str]()
    for member in (*_members(site_file, paths, redactor), *_logs(logs)):
        text = redactor.clean(_bounded(_made(member, notes), member.most))
        if sum(map(len, texts.values())) + len(text) > MOST_BYTES:
            notes.append(f"{member.name} was left out: the bundle is full")
        else:
            texts[member.name] = text
    texts["CONTENTS.txt"] = redactor.clean(_contents(texts, notes))
    file = out or Path(f"redroad-support-{_unit(site_file)}-{_now():%Y%m%dT%H%M%SZ}.tar.gz")
    _pack(file, texts)
    return Bundle(file, file.stat().st_size, tuple(notes))


def _members(site_file: Path | None, paths: Paths, redactor: Redactor) -> Iterator[Member]:
    findings = cache(lambda: check_all(site_file, paths))
    yield Member("check.txt", lambda: _check_text(findings))
    yield Member("check.json", lambda: json.dumps([f.as_dict() for f in findings()], indent=1))
    yield Member("site.toml", lambda: _site(site_file, redactor))
    yield Member("status.json", lambda: status_text(paths))
    yield Member("versions.txt", _versions)
    yield Member("outbox.json", lambda: _outboxes(paths.state))
    yield Member("files.txt", lambda: _files(paths, site_file))
    yield Member("machine.txt", lambda: "\n".join(map(_output_of, MACHINE)))
    yield Member("services.txt", lambda: "\n".join(map(_output_of, SERVICES)))
    journal, kernel = (*JOURNAL, *UNITS, "--lines=30000"), (*JOURNAL, "--dmesg", "--lines=3000")
    yield Member("journal.txt", lambda: _output_of(journal), JOURNAL_BYTES)
    yield Member("kernel.txt", lambda: _output_of(kernel))
    yield Member("boots.txt", lambda: _output_of((*JOURNAL, "--list-boots")))


def _logs(files: Sequence[Path]) -> Iterator[Member]:
    """Logs that were kept elsewhere, such as what `redroad run` printed."""
    for number, file in enumerate(files, start=1):
        yield Member(f"logs/{number}-{file.name}", partial(_text_of, file))


def _made(member: Member, notes: list[str]) -> str:
    """Its text, or why there is none."""
    try:
        return member.make()
    except Exception as error:  # noqa: BLE001  reported in its place, and so are the others
        why = " ".join(f"{type(error).__name__}: {error}".split())
        notes.append(f"{member.name} could not be had: {why}")
        return f"could not be had: {why}\n"


def _bounded(text: str, most: int) -> str:
    """Return the end of it, which is the newest, from the beginning of a line."""
    return text if len(text) <= most else text[-most:].partition("\n")[2]


def _check_text(findings: Callable[[], list[Finding]]) -> str:
    return "\n".join([*(finding.as_text() for finding in findings()), verdict(findings()), ""])


def _site(site_file: Path | None, redactor: Redactor) -> str:
    if site_file is None:
        return "# no site file: the demonstration\n"
    return redacted_site(site_file, redactor)


def _text_of(file: Path) -> str:
    """A file of text, its end where it is long. BundleError for any other."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - MEMBER_BYTES))
            content = opened.read(MEMBER_BYTES)
        cut = content.find(b"\n") + 1 if len(content) == MEMBER_BYTES else 0
        text = content[cut:].decode()
    except OSError as error:
        raise BundleError(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{file} is no text, and is left out") from error
    if "\0" in text:
        raise BundleError(f"{file} is no text, and is left out")
    return text


def _versions() -> str:
    packages = {f"{dist.name} {dist.version}" for dist in importlib.metadata.distributions()}
    now = f"{_now():%Y-%m-%d %H:%M:%S} UTC" + ("" if time_plausible() else ", a clock never set")
    about = [versions(), now, f"boot {boot_id()}", f"{platform.node()}, {platform.platform()}"]
    return "\n".join([*about, "", *sorted(packages, key=str.casefold), ""])


def _outboxes(state: Path) -> str:
    """Return how many messages wait, by kind, and the newest events."""
    found = {str(file): _outbox(file) for file in sorted(state.rglob(OUTBOX_FILE))}
    return json.dumps(found, ensure_ascii=False, indent=1)


def _outbox(file: Path) -> dict[str, object]:
    """Read without writing: the unit may be running, or the disk broken."""
    database = sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True, timeout=2.0)
    try:
        waiting = database.execute("SELECT kind, count(*) FROM outbox GROUP BY kind").fetchall()
        newest = database.execute(
            "SELECT payload FROM outbox WHERE kind = 'events' ORDER BY seq DESC LIMIT ?",
            (EVENTS_TOLD,),
        ).fetchall()
    except sqlite3.Error as error:
        return {"cannot be read": str(error)}
    finally:
        database.close()
    return {"waiting": dict(waiting), "newest events": [payload for (payload,) in newest]}


def _files(paths: Paths, site_file: Path | None) -> str:
    """Return what lies in the unit's folders, by name only."""
    folders = [paths.state, paths.runtime, *([site_file.resolve().parent] if site_file else [])]
    lines = [line for folder in folders for line in _listed(folder)]
    more = [f"... and {len(lines) - FILES_LISTED} more"] if len(lines) > FILES_LISTED else []
    return "\n".join([*lines[:FILES_LISTED], *more, ""])


def _listed(folder: Path) -> Iterator[str]:
    yield f"{folder}:"
    for path in sorted(folder.rglob("*")):
        try:
            found = path.lstat()
        except OSError as error:
            yield f"  ? {path.relative_to(folder)} ({error.strerror})"
            continue
        at = datetime.fromtimestamp(found.st_mtime, UTC)
        mode, owner = f"{found.st_mode:o}", f"{found.st_uid}:{found.st_gid}"
        name = path.relative_to(folder)
        yield f"  {mode:>6} {owner:>11} {found.st_size:>10} {at:%Y-%m-%dT%H:%M:%SZ} {name}"


def _output_of(command: tuple[str, ...]) -> str:
    """What a tool of the system says, under its own words; a tool that is not there says so."""
    head = f"$ {' '.join(command)}\n"
    try:
        done = subprocess.run(command, capture_output=True, timeout=TOOL_LIMIT_S, check=False)
    except OSError as error:
        return f"{head}{error.strerror}\n"
    except subprocess.TimeoutExpired:
        return f"{head}no answer in {TOOL_LIMIT_S:g} s\n"
    return head + (done.stdout + done.stderr).decode(errors="replace").replace("\0", "")


def _contents(texts: dict[str, str], notes: Sequence[str]) -> str:
    """Return what is in the bundle, and what is not."""
    lines = [f"{len(text.encode()):>9}  {name}" for name, text in texts.items()]
    head = (
        "A support bundle of Red Road: texts only. No picture is in it, and secrets are hidden\n"
        f"as {HIDDEN}. Look through it before you send it.\n\n"
    )
    return head + "\n".join([*lines, "", *notes, ""])


def _unit(site_file: Path | None) -> str:
    """Return the unit's name, where the site file has it."""
    try:
        return load_site(site_file).site.unit
    except RedRoadError:
        return "unit"


def _now() -> datetime:
    return datetime.now(UTC)


def _pack(file: Path, texts: dict[str, str]) -> None:
    packed = io.BytesIO()
    folder = file.name.removesuffix(".tar.gz")
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in texts.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o644
            archive.addfile(entry, io.BytesIO(content))
    try:
        atomic_write(file, packed.getvalue(), lasting=True)
    except OSError as error:
        raise BundleError(
            f"{file} cannot be written ({error.strerror}); name another place with --out, such as "
            "a USB stick"
        ) from error
