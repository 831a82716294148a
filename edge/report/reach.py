"""How far a broker can be reached, step by step: name, network, TLS. For `redroad check`.

A unit in service only reports that it cannot connect, and tries again. A technician needs to know
which of the many is at fault, so each step is tried by itself and has its own message.
"""

import contextlib
import queue
import socket
import ssl
import threading

from edge.common.errors import BrokerError
from edge.report.tls import context_of, in_plain_words
from edge.site import Site

LOOK_UP_S, CONNECT_S, TLS_S, ASK_S = 6.0, 3.0, 4.0, 1.5
SILENT = (
    "takes the connection and then says nothing: a load balancer or firewall with no broker behind "
    "it, or another service; check upstream.port, and ask whoever runs it"
)
NO_BROKER = (
    "hangs up on us before it has said anything: another service listens there, or a broker that "
    "refuses us without a word; check upstream.port, and what the broker logs"
)
ONLY_OLD = 'speaks MQTT 3.1.1 only; set upstream.protocol = "auto", or update it'
NO_TLS = "the broker's port does not speak TLS; check upstream.port, or take upstream.ca_file out"
WANTS_TLS = "the broker's port speaks TLS, and no upstream.ca_file is set; set it, or another port"

_Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]
# A whole CONNECT of MQTT 3.1.1 without client id or login: any broker answers it, if only by no.
_HELLO = bytes.fromhex("100c00044d5154540402003c0000")


def reach(site: Site) -> None:
    """Come as far as TLS, if there is any. BrokerError says where it ends, and what to do."""
    context = context_of(site)
    host, port = str(site.upstream.host), site.upstream.port
    try:
        with _connected(host, port) as plain:
            if context is not None:
                plain.settimeout(TLS_S)
                with context.wrap_socket(plain, server_hostname=host):
                    pass
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(in_plain_words(str(error))) from error
    except (OSError, ValueError) as error:
        raise BrokerError(_why(error, host, port, tls=context is not None)) from error


def why_silent(site: Site, *, hung_up: bool) -> str:
    """What is wrong where a connection without TLS was taken and no broker answered on it."""
    host, port = str(site.upstream.host), site.upstream.port
    if _speaks_tls(host, port):
        return WANTS_TLS
    if hung_up:
        return ONLY_OLD if _speaks_plain(host, port) else NO_BROKER
    return SILENT


def _why(error: Exception, host: str, port: int, *, tls: bool) -> str:
    """The words for a step that failed; during TLS the port may be another's than we think."""
    if isinstance(error, _NeverConnectedError) or not tls:
        return in_plain_words(str(error))
    if _speaks_plain(host, port):
        return NO_TLS
    if isinstance(error, TimeoutError):
        return SILENT
    return in_plain_words(str(error))


class _NeverConnectedError(OSError):
    """Not even TCP came about."""


def _connected(host: str, port: int) -> socket.socket:
    """A socket to the first of the host's addresses that takes it."""
    failed: OSError = _NeverConnectedError("No address associated with hostname")
    for family, address in _addresses(host, port):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(CONNECT_S)
        try:
            made.connect(address)
        except OSError as error:
            made.close()
            failed = _NeverConnectedError(str(error))
        else:
            return made
    raise failed


def _addresses(host: str, port: int) -> list[_Address]:
    """What the name server says, within a bound: a dead one takes half a minute to be given up."""
    found: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([(family, address) for family, _, _, _, address in infos])  # type: ignore[misc]
        except OSError as error:
            found.put(_NeverConnectedError(str(error)))
        except UnicodeError:  # no name that could be asked for
            found.put(_NeverConnectedError("Name or service not known"))

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    try:
        answer = found.get(timeout=LOOK_UP_S)
    except queue.Empty:
        answer = _NeverConnectedError("Temporary failure in name resolution")
    if isinstance(answer, OSError):
        raise answer
    return answer


def _speaks_plain(host: str, port: int) -> bool:
    """Return whether an MQTT broker answers without TLS."""
    with contextlib.suppress(OSError), _connected(host, port) as asked:
        asked.settimeout(ASK_S)
        asked.sendall(_HELLO)
        return asked.recv(1) == b"\x20"  # the first byte of a CONNACK
    return False


def _speaks_tls(host: str, port: int) -> bool:
    """Return whether any server completes a TLS handshake; nothing is sent over it."""
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    try:
        with _connected(host, port) as asked:
            asked.settimeout(ASK_S)
            with anyone.wrap_socket(asked):
                return True
    except ssl.SSLError as error:
        return "alert" in str(error)  # as one that wants our certificate
    except OSError:
        return False
