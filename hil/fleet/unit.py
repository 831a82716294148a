"""The program `report` of one unit, forked from a server that has loaded it already."""

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path

from edge.common.link import Sender
from edge.common.program import Paths
from edge.common.wire import STATES, Message
from edge.report import main as report
from edge.site import load_site

ENDS_WITHIN_S = 20.0
SENDERS = ("watch", "decide", "show")
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["hil.fleet.unit"])


class ReportUnit:
    """One unit: its process, and the way to tell it things."""

    def __init__(
        self, folder: Path, site: str, unit: str, port: int, clock: str = "synchronised"
    ) -> None:
        folder.mkdir(parents=True)
        self.name = f"{site}/{unit}"
        self.paths = Paths(folder / "run", folder / "state")
        self._site = folder / "site.toml"
        self._site.write_text(
            f'[site]\nname = "{site}"\nunit = "{unit}"\nclock = "{clock}"\n'
            f'[upstream]\nhost = "127.0.0.1"\nport = {port}\naggregate_s = 60\n',
            encoding="utf-8",
        )
        self._ways = {name: Sender(self.paths.runtime, name, "report", STATES) for name in SENDERS}
        self._process: BaseProcess | None = None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None and self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """Begin; does not wait."""
        self._process = _SERVER.Process(target=live, args=(self._site, self.paths))
        self._process.start()

    def send(self, message: Message, program: str = "decide") -> None:
        """Tell it something, as another program of the unit."""
        self._ways[program].send(message)

    def end(self) -> None:
        """Ask it to end; nothing, where it does not run."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()

    def wait(self) -> None:
        """Until it has ended."""
        if self._process is not None:
            self._process.join(ENDS_WITHIN_S)


def live(site_file: Path, paths: Paths) -> None:
    """The program itself, in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    report.run(load_site(site_file), paths)
