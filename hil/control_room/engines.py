"""The engines of deploy/control-room/ as child processes, configured by its very files.

Only ports differ: one that is in use on this machine is replaced by a free one in all files.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from hil.testkit.mosquitto import MOSQUITTO, free_port, listens, wait_for

SHIPPED = Path(__file__).parents[2] / "deploy/control-room"
BROKER, PROMETHEUS, ALERTMANAGER, WEBHOOK = 1883, 9090, 9093, 9099
EXPORTERS = {"state": 9641, "health": 9642, "availability": 9643}
PORTS = (BROKER, PROMETHEUS, ALERTMANAGER, WEBHOOK, *EXPORTERS.values())
NAMED_PORT = re.compile(rf"(localhost:|127\.0\.0\.1:|listener )({'|'.join(map(str, PORTS))})\b")
ENDS_WITHIN_S = 15.0
STARTS_WITHIN_S = 60.0


def shipped_or_free(port: int) -> int:
    """The port that the files name; a free one where that is in use."""
    return free_port() if listens(port) else port


def always_free(_port: int) -> int:
    """A free port, for tests that run side by side."""
    return free_port()


class ControlRoom:
    """Broker, exporters, Alertmanager and Prometheus, with all their data in one folder."""

    def __init__(self, folder: Path, choose_port: Callable[[int], int] = shipped_or_free) -> None:
        self.folder = folder
        self.ports = {port: choose_port(port) for port in PORTS}
        self.config = folder / "config"
        shutil.copytree(SHIPPED, self.config)
        for file in self.config.rglob("*"):
            if file.suffix in {".yml", ".yaml", ".conf"}:
                text = file.read_text(encoding="utf-8")
                file.write_text(NAMED_PORT.sub(self._port_of, text), encoding="utf-8")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def url(self, port: int) -> str:
        """The address of the engine that listens on `port` as shipped."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def start(self) -> None:
        """Start all; returns when Prometheus and Alertmanager are ready."""
        self.start_broker()
        for name in EXPORTERS:
            self.start_exporter(name)
        self._begin(
            "prometheus-alertmanager",
            f"--config.file={self.config / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.ports[ALERTMANAGER]}",
            "--cluster.listen-address=",
        )
        self._begin(
            "prometheus",
            f"--config.file={self.config / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self.ports[PROMETHEUS]}",
            f"--web.console.templates={self.config / 'consoles'}",
            f"--web.console.libraries={self.config / 'consoles'}",
        )
        wait_for(lambda: self._answers(ALERTMANAGER), STARTS_WITHIN_S, "Alertmanager is ready")
        wait_for(lambda: self._answers(PROMETHEUS), STARTS_WITHIN_S, "Prometheus is ready")

    def start_broker(self) -> None:
        """Start Mosquitto, for the first time or again."""
        self._begin("mosquitto", "-c", str(self.config / "mosquitto.conf"), command=MOSQUITTO)
        wait_for(lambda: listens(self.ports[BROKER]), STARTS_WITHIN_S, "the broker listens")

    def start_exporter(self, name: str) -> None:
        """Start the exporter of one topic, for the first time or again."""
        self._begin(
            f"exporter-{name}",
            f"-config={self.config / 'exporter' / name}.yaml",
            "-listen-address=127.0.0.1",
            f"-listen-port={self.ports[EXPORTERS[name]]}",
            command="prometheus-mqtt-exporter",
        )

    def kill(self, name: str) -> None:
        """End one engine as a power cut does."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def pids(self) -> dict[str, int]:
        """The process of each engine."""
        return {name: process.pid for name, process in self._processes.items()}

    def ended(self) -> list[str]:
        """The engines that have ended by themselves, each with the last line of its log."""
        return [
            f"{name}: {self._last_line(name)}"
            for name, process in self._processes.items()
            if process.poll() is not None
        ]

    def end(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query; AssertionError with Prometheus' error."""
        asked = {"query": expression}
        answer = httpx.get(f"{self.url(PROMETHEUS)}/api/v1/query", params=asked, timeout=20).json()
        assert answer["status"] == "success", f"{expression}: {answer['error']}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def values(self, expression: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The result as numbers, by these labels."""
        return {
            tuple(each["metric"].get(label, "") for label in labels): float(each["value"][1])
            for each in self.query(expression)
        }

    def _begin(self, name: str, *arguments: str, command: str = "") -> None:
        words: Sequence[str] = (command or name, *arguments)
        with (self.folder / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C ends the engines by `end`, after the units.
            self._processes[name] = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def _answers(self, port: int) -> bool:
        try:
            return httpx.get(f"{self.url(port)}/-/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _port_of(self, match: re.Match[str]) -> str:
        return f"{match[1]}{self.ports[int(match[2])]}"

    def _last_line(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
        return lines[-1] if lines else "it wrote nothing"
