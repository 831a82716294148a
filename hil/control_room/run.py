"""A control room on this machine, with simulated sites, until Ctrl-C.

    make control-room

Everything of deploy/control-room/ but Grafana, which Debian does not have. The sites go through
the scenarios of the simulated street. One unit loses its power for three minutes in every ten.
Notifications of alerts are printed. All data lie in var/control-room, which is emptied first.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from hil.control_room.engines import ALERTMANAGER, BROKER, PROMETHEUS, WEBHOOK, ControlRoom
from hil.control_room.sites import PLANS, Sites
from hil.control_room.webhook import Notification, WebhookReceiver

FOLDER = Path(__file__).parents[2] / "var/control-room"
EVERY_S, AWAY_FROM_S, AWAY_UNTIL_S = 600, 120, 300


def show(notification: Notification) -> None:
    """Print one line, in one write: several threads call it."""
    when, what = time.strftime("%H:%M:%S"), f"{notification.status} {notification.severity}"
    sys.stdout.write(f"{when} {what:18} {notification.alert:21} {notification.summary}\n")
    sys.stdout.flush()


def play(room: ControlRoom, sites: Sites, seconds: float) -> None:
    """Play the scenarios; RuntimeError when an engine ends."""
    last, was_away, second = sites.units[-1].report, False, 0
    while second < seconds:
        is_away = AWAY_FROM_S <= second % EVERY_S < AWAY_UNTIL_S
        if is_away and not was_away:
            last.kill()
        elif was_away and not is_away:
            last.start()
        was_away, second = is_away, second + 1
        sites.advance()
        if ended := room.ended():
            raise RuntimeError(f"{ended[0]}; see {room.folder}")


def stop(_signum: int, _frame: FrameType | None) -> None:
    """End as by Ctrl-C."""
    raise KeyboardInterrupt


def introduce(room: ControlRoom) -> None:
    """Print the addresses."""
    prometheus = room.url(PROMETHEUS)
    print(f"all sites   {prometheus}/consoles/sites.html")
    print(f"alerts      {room.url(ALERTMANAGER)}, and below as they come")
    print(f"Prometheus  {prometheus}; for Grafana see deploy/control-room/README.md")
    print(f"broker      127.0.0.1:{room.ports[BROKER]}", flush=True)


def main() -> None:
    """Start everything, and end it."""
    parser = argparse.ArgumentParser(prog="python -m hil.control_room", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="until it ends itself")
    parser.add_argument(
        "--pace", type=float, default=1.0, help="speed of the scenarios: 2 is twice as fast"
    )
    options = parser.parse_args()
    for signum in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C, too, where the shell ignores it
        signal.signal(signum, stop)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    room = ControlRoom(FOLDER)
    sites = Sites(FOLDER / "units", room.ports[BROKER], PLANS, options.pace)
    webhook = WebhookReceiver(room.ports[WEBHOOK], show)
    webhook.open()
    try:
        room.start()
        introduce(room)
        sites.start()
        play(room, sites, options.minutes * 60)
    except KeyboardInterrupt:
        print("ending", file=sys.stderr)
    except (AssertionError, RuntimeError) as error:
        sys.exit(f"the control room has ended: {error}")
    finally:
        sites.end()
        room.end()
        webhook.close()
