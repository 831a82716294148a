"""On which terms the broker is asked next: version of MQTT, and what the last will asks for. Pure.

A broker that has no MQTT 5 says so, or only closes; one that retains nothing, or knows no QoS 1,
refuses a connection whose last will asks for either.
"""

from dataclasses import dataclass, replace
from typing import Literal

from edge.report.limits import Version

Protocol = Literal["auto", "5", "3.1.1"]

# MQTT 5.0, 3.2.2.2
UNSUPPORTED_VERSION, RETAIN_NOT_SUPPORTED, QOS_NOT_SUPPORTED = 0x84, 0x9A, 0x9B
# A broker that restarts closes without a word, too: only the second time it is asked by 3.1.1.
CLOSED_IN_A_ROW = 2


@dataclass(frozen=True)
class Terms:
    """Of one connection."""

    version: Version
    will_retain: bool = True
    will_qos: int = 1


class Negotiation:
    """Finds the best terms that a broker accepts; every connection begins with the best again."""

    def __init__(self, protocol: Protocol) -> None:
        self._auto = protocol == "auto"
        self.terms = Terms("3.1.1" if protocol == "3.1.1" else "5")
        self._closed = 0
        self._patience = CLOSED_IN_A_ROW

    def accepted(self) -> None:
        """Record that the broker accepted these terms."""
        if self._closed:
            self._patience = 1  # it closes whenever it is asked by MQTT 5
        self._closed = 0

    def ended(self) -> None:
        """A connection that stood is over: another broker may answer next."""
        if self._auto:
            self.terms = replace(self.terms, version="5")

    def refused(self, code: int | None) -> bool:
        """Take in why there was no connection: the CONNACK's code, None where there was none.

        Whether other terms are to be tried at once.
        """
        if code == RETAIN_NOT_SUPPORTED and self.terms.will_retain:
            self.terms = replace(self.terms, will_retain=False)
            return True
        if code == QOS_NOT_SUPPORTED and self.terms.will_qos:
            self.terms = replace(self.terms, will_qos=0)
            return True
        if not self._auto:
            return False
        if self.terms.version == "3.1.1":
            self.terms, self._closed = replace(self.terms, version="5"), 0
            return False
        self._closed += code is None
        if code == UNSUPPORTED_VERSION or self._closed >= self._patience:
            self.terms = replace(self.terms, version="3.1.1")
            return True
        return False
