"""The lines of `redroad check`, also on a machine that is broken in a namespace.

Most tests call the functions behind the lines they read; some run the whole command.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.commands.check.check import check_all
from edge.common.program import Paths
from hil.testkit.apart import apart

SITE = '[sign]\npanel = "recorder"\n[voice]\noutput = "record"\n'
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


@dataclass
class Checked:
    """What it said, by part."""

    code: int
    lines: dict[str, tuple[bool, str]]

    def fault(self, part: str) -> str:
        """The words of a line that must be a fault."""
        ok, text = self.lines[part]
        assert not ok, text
        assert self.code == 1
        return text

    def good(self, part: str) -> str:
        """The words of a line that must be good."""
        ok, text = self.lines[part]
        assert ok, text
        return text


@dataclass
class Check:
    """Folders of a unit, and a command to check it."""

    folder: Path
    site: str = SITE
    environment: dict[str, str] = field(default_factory=dict)
    mounts: list[str] = field(default_factory=list)  # shell lines, run in a namespace of its own

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def runtime(self) -> Path:
        return self.folder / "run"

    @property
    def site_file(self) -> Path:
        return self.folder / "site.toml"

    def command(self, *more: str) -> list[str]:
        self.site_file.write_text(self.site, encoding="utf-8")
        paths = ["--runtime", str(self.runtime), "--state", str(self.state)]
        plain = [sys.executable, "-m", "edge", *(more or ("check", "--json"))]
        plain += ["--site", str(self.site_file), *paths]
        if not self.mounts:
            return plain
        script = "set -e\n" + "\n".join(self.mounts) + '\nexec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, "sh", *plain]

    def run(self, *parts: str) -> Checked:
        """These lines, or all of them, by the functions of the command."""
        self.site_file.write_text(self.site, encoding="utf-8")
        errors = self.folder / "errors"
        errors.touch()
        findings = apart(
            check_all,
            self.site_file,
            Paths(self.runtime, self.state),
            parts,
            errors=errors,
            environment=self.environment,
            mounts=self.mounts,
        )
        assert "Traceback" not in errors.read_text(encoding="utf-8")
        found = {line.part: (line.ok, line.text) for line in findings}
        return Checked(int(not all(line.ok for line in findings)), found)

    def run_command(self) -> Checked:
        """All lines, by the command itself: end to end."""
        done = subprocess.run(
            self.command(),
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        found = {line["part"]: (line["ok"], line["text"]) for line in json.loads(done.stdout)}
        return Checked(done.returncode, found)

    def in_place_of(self, path: str, content: str) -> None:
        """Let a file of the system read so, in a namespace of its own."""
        fake = self.folder / path.strip("/").replace("/", "-")
        fake.write_text(content, encoding="utf-8")
        self.mounts.append(f"mount --bind {fake} {path}")

    def tool(self, name: str, script: str) -> None:
        """A program that is found before the system's."""
        folder = self.folder / "tools"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
        self.environment["PATH"] = f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return Check(tmp_path)
