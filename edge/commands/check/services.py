"""What systemd reports of the unit's services and of the hardware watchdog."""

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.commands.check.firmware import Firmware
from edge.commands.check.machine import model
from edge.commands.run import CHILDREN
from edge.common.errors import ServiceError

TARGET = "redroad.target"
SERVICES = tuple(f"redroad-{child.name}.service" for child in CHILDREN)
SPARE = "redroad-report.service"  # a unit may do without a broker; the sign needs all others
PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,ActiveEnterTimestampMonotonic"
)
ANSWER_S = 5.0
SETTLED_S = 60.0
WATCHDOG_MOST_S = 15.0  # the one of a Raspberry Pi counts to 16 s at most
WATCHDOG = Path("dev/watchdog0")
IDENTITY = Path("sys/class/watchdog/watchdog0/identity")
SOFTDOG = "Software Watchdog"
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h)\b")
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Services:
    """systemd's words by unit; empty where systemd does not run."""

    units: Mapping[str, Mapping[str, str]]

    @classmethod
    def look(cls) -> "Services":
        """Ask. ServiceError when systemd does not answer."""
        answer = _systemctl("show", f"--property={PROPERTIES}", TARGET, *SERVICES)
        blocks = [_fields(block) for block in answer.split("\n\n") if "Id=" in block]
        return cls({fields["Id"]: fields for fields in blocks})

    @property
    def installed(self) -> bool:
        """Whether any of ours is known to systemd."""
        return any(fields["LoadState"] != "not-found" for fields in self.units.values())

    @property
    def active(self) -> bool:
        """Whether any of them runs, and may hold the unit's parts."""
        return any(self.units.get(name, {}).get("ActiveState") == "active" for name in SERVICES)

    def judge(self) -> str:
        """All are there, begin by themselves, and stay."""
        if not self.units:
            return "systemd does not run here: nothing starts by itself"
        if not self.installed:
            return "none is installed: nothing starts by itself after a power cut"
        wrong = [words for name in (TARGET, *SERVICES) if (words := self._wrong(name))]
        if wrong:
            raise ServiceError("\n".join(wrong))
        left_out = f"; {_short(SPARE)} is left out" if self._masked(SPARE) else ""
        again = {name: int(self.units[name].get("NRestarts") or 0) for name in SERVICES}
        restarts = ", ".join(f"{_short(name)} {times}" for name, times in again.items() if times)
        return f"all active and enabled; started again since boot: {restarts or 'none'}{left_out}"

    def _wrong(self, name: str) -> str:
        """Return what is wrong with one, and what to do; empty when nothing is."""
        fields = self.units.get(name, {"LoadState": "not-found"})
        if name == SPARE and self._masked(name):
            return ""
        if (load := fields["LoadState"]) != "loaded":
            remedy = f"run: sudo systemctl unmask {name}" if load == "masked" else "reinstall it"
            return f"{name} is {load}; {remedy}"
        if name == TARGET and fields.get("UnitFileState") != "enabled":
            return f"{name} does not begin at boot; run: sudo systemctl enable --now {name}"
        if (active := fields["ActiveState"]) != "active":
            remedy = (
                f"run: sudo systemctl start {name}"
                if (name, active) == (TARGET, "inactive")
                else f"see: journalctl -u {name} -n 30"
            )
            return f"{name} is {active} ({fields['SubState']}, {fields.get('Result')}); {remedy}"
        age_s = time.monotonic() - int(fields.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        if (times := int(fields.get("NRestarts") or 0)) and age_s < SETTLED_S:
            return (
                f"{name} was started again {times} times, last {age_s:.0f} s ago; "
                f"see: journalctl -u {name} -n 30"
            )
        return ""

    def _masked(self, name: str) -> bool:
        return self.units.get(name, {}).get("LoadState") == "masked"

    def watchdog(self, root: Path = Path("/")) -> str:
        """Verify that the machine is reset when it hangs, on a Pi from its very start on."""
        is_pi = model(root).startswith("Raspberry Pi")
        if not (root / WATCHDOG).exists():
            if self.installed and is_pi:
                raise ServiceError(
                    f"/{WATCHDOG} is missing; remove dtparam=watchdog=off from "
                    "/boot/firmware/config.txt, and start the Pi anew"
                )
            return "this machine has none: a kernel that hangs stays so"
        if not self.installed:
            return "not used: no service of ours is installed"
        words = f"resets the machine after {_runtime_limit_s(root):g} s"
        return f"{words}; {Firmware.look(root).judge()}" if is_pi else words


def _runtime_limit_s(root: Path) -> float:
    """After how long systemd's silence resets the machine; ServiceError where it does not."""
    identity = root / IDENTITY
    if identity.exists() and identity.read_text(encoding="utf-8").strip() == SOFTDOG:
        raise ServiceError(
            f"/{WATCHDOG} is the kernel's own timer, which hangs with it; take softdog out of "
            "/etc/modules and /etc/modules-load.d/, and start the machine anew"
        )
    value = _systemctl("show", "--property=RuntimeWatchdogUSec").partition("=")[2].strip()
    limit_s = sum(float(number) * _UNITS_S[unit] for number, unit in _SPAN.findall(value))
    if not 0 < limit_s <= WATCHDOG_MOST_S:
        raise ServiceError(
            f"RuntimeWatchdogSec is {value or 'not set'}, must be more than 0 and at most "
            f"{WATCHDOG_MOST_S:g} s; set it in /etc/systemd/system.conf.d/ and start anew"
        )
    return limit_s


def _systemctl(*arguments: str) -> str:
    """What systemctl says; nothing where systemd does not run. ServiceError when it hangs."""
    try:
        answer = subprocess.run(
            ["systemctl", "--no-pager", *arguments],
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=False,
        )
    except OSError:
        return ""
    except subprocess.TimeoutExpired as error:
        raise ServiceError(
            f"systemd gives no answer in {ANSWER_S:g} s; start the machine anew"
        ) from error
    return answer.stdout if answer.returncode == 0 else ""


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _short(name: str) -> str:
    return name.removeprefix("redroad-").removesuffix(".service")
