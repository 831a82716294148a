"""Which ONVIF cameras answer on the network: WS-Discovery 1.0, as the ONVIF core asks for it.

One question by multicast on every interface, and the answers of those who are asked. The one kept
library for it (`wsdiscovery`) needs `netifaces`, which is kept no more and has no wheel for a Pi.
"""

import re
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml import etree

GROUP, PORT = "239.255.255.250", 3702
LARGEST = 1 << 16
# A datagram may be lost.
QUESTIONS = 2
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<e:Header><w:MessageID>urn:uuid:{name}</w:MessageID>
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body>
</e:Envelope>"""
_SCOPE = re.compile(r"onvif://www\.onvif\.org/([a-z_]+)/(.+)", re.I)


@dataclass(frozen=True, order=True)
class Found:
    """A camera that answered: where it is asked for more, and what it says of itself to all."""

    host: str
    port: int
    name: str = ""
    place: str = ""
    hardware: str = ""
    secure: bool = False


def find(wait_s: float, port: int = PORT) -> list[Found]:
    """Ask on every interface, and gather answers for `wait_s` seconds; each camera once."""
    found = set[Found]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("", 0))
        until = time.monotonic() + wait_s
        for turn in range(QUESTIONS):
            _ask(asking, port)
            end = until - wait_s * (QUESTIONS - 1 - turn) / QUESTIONS
            for data, host in _answers(asking, end):
                found |= {*camera_of(data, host)}
    return sorted({(one.host, one.port): one for one in sorted(found)}.values())


def _ask(asking: socket.socket, port: int) -> None:
    question = PROBE.format(name=uuid.uuid4()).encode()
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    for index, _ in socket.if_nameindex():
        # struct ip_mreqn: group, own address, index of the interface.
        interface = struct.pack("=4s4si", b"", b"", index)
        try:
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
            asking.sendto(question, (GROUP, port))
        except OSError:  # one without an address
            continue


def _answers(asking: socket.socket, until: float) -> Iterator[tuple[bytes, str]]:
    while (left_s := until - time.monotonic()) > 0:
        asking.settimeout(left_s)
        try:
            data, (host, _) = asking.recvfrom(LARGEST)
        except TimeoutError:
            return
        yield data, host


def camera_of(data: bytes, sender: str) -> Iterator[Found]:
    """The cameras in one answer; none in one that is no such answer.

    Only where an address is the sender's own: a login must not be sent to whom an answer names.
    """
    try:
        answer = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return
    for match in answer.iter(f"{{{DISCOVERY}}}ProbeMatch"):
        scopes = _scopes(_text(match, "Scopes"))
        for address in _text(match, "XAddrs").split():
            try:
                url = urlsplit(address)
                port = url.port or {"http": 80, "https": 443}[url.scheme]
            except (ValueError, KeyError):
                continue
            if url.hostname == sender:
                yield Found(
                    sender,
                    port,
                    scopes.get("name", ""),
                    scopes.get("location", ""),
                    scopes.get("hardware", ""),
                    url.scheme == "https",
                )
                break


def _text(match: etree._Element, name: str) -> str:
    return match.findtext(f"{{{DISCOVERY}}}{name}") or ""


def _scopes(text: str) -> dict[str, str]:
    """The scopes by their kind; of several of one kind (places within places) all, with commas."""
    scopes = dict[str, list[str]]()
    for scope in text.split():
        if match := _SCOPE.fullmatch(scope):
            kind = match[1].lower()
            scopes.setdefault(kind, []).append(printable(unquote(match[2])))
    return {kind: ", ".join(values) for kind, values in scopes.items()}


def printable(text: str) -> str:
    """Return what a camera says, without anything that a terminal would take for a command."""
    return "".join(letter for letter in text if letter.isprintable()).strip()
