"""A real Home Assistant in a Debian root of its own, which is made once and kept outside.

It needs another Python than a unit has (2026.2: 3.13.2 or newer), so it lives in a root of Debian
Trixie, made by mmdebstrap from this machine's own apt sources, with Home Assistant and what its
default integrations ask for from PyPI: some six minutes and 1.3 GB, once.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tornado.websocket import websocket_connect

from hil.container.root import base_root
from hil.testkit.mosquitto import free_port, wait_for

VERSION = "2026.2.*"
CODENAME = "trixie"
PACKAGES = ("python3", "python3-venv", "python3-dev", "gcc", "libc6-dev", "ca-certificates")
CACHE = Path("/var/cache/redroad")
APART = ("unshare", "--mount", "--propagation=private", "sh", "-euc")
CHROOT = "/usr/sbin/chroot"
STARTS_WITHIN_S = 180.0  # 12 s on an idle machine
# What the machine's own pip goes by: where packages come from, and whom to trust.
OF_PIP = ("/etc/resolv.conf", "/etc/ssl/certs", "/etc/pip.conf", "/etc/xdg/pip")

# Everything that Home Assistant would install by itself at its first start.
REQUIREMENTS = """
import json
from pathlib import Path
import homeassistant
from homeassistant import bootstrap as b
root = Path(homeassistant.__file__).parent / "components"
todo = {"mqtt", "api", "isal", "system_log", "homeassistant", "persistent_notification"}
todo |= b.DEFAULT_INTEGRATIONS | b.FRONTEND_INTEGRATIONS
seen, found = set(), set()
while todo:
    name = todo.pop()
    seen.add(name)
    manifest = json.loads((root / name / "manifest.json").read_text())
    found |= set(manifest.get("requirements", []))
    todo |= set(manifest.get("dependencies", [])) - seen
print("\\n".join(sorted(found)))
"""
INSTALL = """
python3 -m venv /opt/ha
/opt/ha/bin/pip install --quiet "homeassistant==$VERSION"
/opt/ha/bin/python -c "$REQUIREMENTS" > /root/requirements.txt
constraints=$(echo /opt/ha/lib/python3*/site-packages/homeassistant/package_constraints.txt)
/opt/ha/bin/pip install --quiet -c "$constraints" -r /root/requirements.txt
"""
CONFIGURATION = """
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
logger:
  default: warning
"""


def missing() -> str:
    """Why there can be no Home Assistant here, in one line; empty when nothing is known."""
    if os.geteuid() != 0:
        return "Home Assistant's root needs root: run `sudo make test`"
    lacking = [tool for tool in ("mmdebstrap", "unshare") if not shutil.which(tool)]
    return f"Home Assistant's root needs: apt-get install {' '.join(lacking)}" if lacking else ""


def root() -> Path:
    """The root with Home Assistant in it. RuntimeError, in one line, when it cannot be made."""
    key = hashlib.sha256(f"{VERSION} {PACKAGES} {INSTALL}{REQUIREMENTS}".encode()).hexdigest()[:12]
    made = CACHE / f"home-assistant-{key}"
    if made.exists():
        return made
    draft = CACHE / f"{made.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        base_root(CACHE, CODENAME, packages=PACKAGES).rename(draft)
        _inside(draft, _pip_mounts(draft), INSTALL)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() if error.stderr else [str(error)]
        shutil.rmtree(draft, ignore_errors=True)
        raise RuntimeError(f"Home Assistant cannot be installed here: {said[-1]}") from error
    draft.rename(made)
    return made


def _inside(folder: Path, mounts: str, script: str) -> None:
    given = {"VERSION": VERSION, "REQUIREMENTS": REQUIREMENTS, "SCRIPT": script}
    subprocess.run(
        [*APART, f'{mounts}exec {CHROOT} {folder} sh -euc "$SCRIPT"'],
        env={**os.environ, **given, "HOME": "/root", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        check=True,
        capture_output=True,
        text=True,
    )


def _pip_mounts(folder: Path) -> str:
    lines = _kernel_mounts(folder)
    for path in map(Path, OF_PIP):
        if path.exists():
            inside = folder / path.relative_to("/")
            make = f"mkdir -p {inside}" if path.is_dir() else f"touch {inside}"
            lines += f"mkdir -p {inside.parent}; {make}; mount --bind {path} {inside}; "
    return lines


def _kernel_mounts(folder: Path) -> str:
    return f"mount -t proc proc {folder}/proc; mount --rbind /dev {folder}/dev; "


class HomeAssistant:
    """One Home Assistant with a user, and MQTT set up as a person does: by its forms."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self._folder, self._broker_port = folder, broker_port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "configuration.yaml").write_text(
            CONFIGURATION.format(port=self.port), encoding="utf-8"
        )

    def start(self) -> None:
        """Start it, at first with a user of its own; returns when it talks to the broker."""
        made = root()
        mounts = f"mkdir -p {made}/config; mount --bind {self._folder} {made}/config; "
        hass = f"exec {CHROOT} {made} /opt/ha/bin/hass -c /config --skip-pip"
        with (self._folder / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*APART, f"{mounts}{_kernel_mounts(made)}{hass}"],
                env={"HOME": "/root", "PATH": "/opt/ha/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, STARTS_WITHIN_S, "Home Assistant answers")
        if not self._token:
            self._begin()
        wait_for(self._runs, STARTS_WITHIN_S, "Home Assistant runs")

    def stop(self) -> None:
        """End it as a person does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def states(self) -> dict[str, dict[str, Any]]:
        """All entities by their ids, as Home Assistant shows them now."""
        return {each["entity_id"]: each for each in self._ask("GET", "/api/states")}

    def shown(self, ending: str) -> str:
        """The state of the one entity whose id ends so; "gone" when there is none."""
        found = [each["state"] for name, each in self.states().items() if name.endswith(ending)]
        assert len(found) <= 1, f"several entities end in {ending}: {found}"
        return str(found[0]) if found else "gone"

    def devices(self) -> list[dict[str, Any]]:
        """The devices that MQTT made."""
        found = self.command("config/device_registry/list")
        return [each for each in found if any("mqtt" in pair for pair in each["identifiers"])]

    def delete(self, device: dict[str, Any]) -> None:
        """Delete a device, as by the button of its page."""
        self.command(
            "config/device_registry/remove_config_entry",
            device_id=device["id"],
            config_entry_id=device["config_entries"][0],
        )

    def call(self, service: str, **data: object) -> None:
        """Call a service such as button/press."""
        self._ask("POST", f"/api/services/{service}", data)

    def command(self, kind: str, **more: object) -> Any:
        """A command of the WebSocket API; its result."""

        async def ask() -> Any:
            socket = await websocket_connect(f"ws://127.0.0.1:{self.port}/api/websocket")
            await socket.read_message()
            await socket.write_message(json.dumps({"type": "auth", "access_token": self._token}))
            await socket.read_message()
            await socket.write_message(json.dumps({"id": 1, "type": kind, **more}))
            answer = json.loads(str(await socket.read_message()))
            socket.close()
            return answer

        answer = asyncio.run(ask())
        assert answer.get("success"), answer
        return answer["result"]

    def log(self) -> str:
        """What it has complained of."""
        return (self._folder / "console.log").read_text(encoding="utf-8")

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log()[-2000:]
        try:
            self._ask("GET", "/api/onboarding")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def _runs(self) -> bool:
        return bool(self._ask("GET", "/api/config")["state"] == "RUNNING")

    def _begin(self) -> None:
        """The first user, and MQTT by its form."""
        user = {"name": "t", "username": "t", "password": "t", "language": "en"}
        begun = self._ask("POST", "/api/onboarding/users", {"client_id": self.url, **user})
        asked = {"grant_type": "authorization_code", "code": begun["auth_code"]}
        form = urllib.parse.urlencode({"client_id": self.url, **asked}).encode()
        with urllib.request.urlopen(f"{self.url}/auth/token", form) as answer:
            self._token = json.loads(answer.read())["access_token"]
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            flow = self._ask("POST", "/api/config/config_entries/flow", {"handler": "mqtt"})
            if flow.get("type") == "form":
                break
            time.sleep(1)
        where = {"broker": "127.0.0.1", "port": self._broker_port}
        done = self._ask("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", where)
        assert done["type"] == "create_entry", done

    def _ask(self, method: str, path: str, data: object = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())
