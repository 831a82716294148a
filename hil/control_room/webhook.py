"""A webhook receiver for Alertmanager, in the place of the city's own system."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Notification:
    """One alert as Alertmanager reports it; `status` is "firing" or "resolved"."""

    status: str
    alert: str
    severity: str
    site: str
    unit: str
    summary: str


class WebhookReceiver:
    """Passes each notification to `take`, which is called from the server's threads."""

    def __init__(self, port: int, take: Callable[[Notification], None]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(take))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def open(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def close(self) -> None:
        """Stop receiving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(take: Callable[[Notification], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take a group of alerts."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            for alert in body["alerts"]:
                take(_notification(alert))

        def log_message(self, format: str, *args: Any) -> None:
            """Log no requests."""

    return Handler


def _notification(alert: dict[str, Any]) -> Notification:
    labels = alert["labels"]
    return Notification(
        alert["status"],
        labels["alertname"],
        labels.get("severity", ""),
        labels.get("site", ""),
        labels.get("unit", ""),
        alert["annotations"].get("summary", ""),
    )
