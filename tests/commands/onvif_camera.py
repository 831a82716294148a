"""An ONVIF camera as far as `redroad camera find` asks it: WS-Discovery and five calls of SOAP.

What it answers is read by a library made for real cameras, against ONVIF's own WSDL.
"""

import base64
import contextlib
import datetime
import hashlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

GROUP = "239.255.255.250"
CLOCK_MAY_DIFFER_S = 10.0
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope '
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{}</s:Body></s:Envelope>'
)
NOT_AUTHORIZED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value>"
    "</s:Subcode></s:Code><s:Reason><s:Text xml:lang='en'>Sender not Authorized</s:Text>"
    "</s:Reason></s:Fault>"
)


@dataclass(frozen=True)
class Profile:
    """A stream of the camera."""

    token: str
    width: int
    height: int
    path: str
    encoding: str = "H264"


MAIN = Profile("main", 2560, 1440, "/Streaming/Channels/101")
SUB = Profile("sub", 1280, 720, "/Streaming/Channels/102")


@dataclass
class OnvifCamera:
    """Serves on `host` until `end`; its clock goes wrong by `clock_off_s`."""

    host: str = "127.0.0.1"
    name: str = "Entrance%20North"
    location: str = "Mapo"
    user: str = ""
    password: str = ""
    profiles: tuple[Profile, ...] = (SUB, MAIN)
    clock_off_s: float = 3600.0
    xaddr_host: str = ""
    uri_query: str = ""
    asked: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer((self.host, 0), _handler_of(self))
        self.port = self._server.server_port
        self._probes = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._probes.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._probes.bind((GROUP, 0))
        self.discovery_port = self._probes.getsockname()[1]
        loopback = struct.pack("=4s4si", socket.inet_aton(GROUP), b"", socket.if_nametoindex("lo"))
        self._probes.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, loopback)
        self._probes.settimeout(0.1)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, daemon=True),
            threading.Thread(target=self._answer_probes, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self._probes.close()

    @property
    def address(self) -> str:
        return f"http://{self.xaddr_host or self.host}:{self.port}/onvif/device_service"

    def _answer_probes(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                question, asker = self._probes.recvfrom(1 << 16)
                if b"NetworkVideoTransmitter" in question:
                    self._send(self.probe_match(question.decode()).encode(), asker)

    def _send(self, answer: bytes, asker: tuple[str, int]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind((self.host, 0))
            own.sendto(answer, asker)

    def probe_match(self, question: str) -> str:
        name = re.search(r"MessageID>([^<]+)<", question)
        scopes = f"onvif://www.onvif.org/name/{self.name} onvif://www.onvif.org/location/Seoul"
        scopes += f" onvif://www.onvif.org/location/{self.location}"
        scopes += " onvif://www.onvif.org/hardware/SIM-1"
        return (
            '<?xml version="1.0" encoding="UTF-8"?><s:Envelope '
            'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>'
            f"<a:RelatesTo>{name[1] if name else ''}</a:RelatesTo></s:Header><s:Body>"
            "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
            f"</a:EndpointReference><d:Scopes>{scopes}</d:Scopes>"
            f"<d:XAddrs>http://192.0.2.77/onvif/device_service {self.address}</d:XAddrs>"
            "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
        )

    def answer(self, request: str) -> tuple[int, str]:
        """Status and body of the answer to a SOAP request."""
        self.requests.append(request)
        match = re.search(r"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)", request)
        call = match[1] if match else ""
        self.asked.append(call)
        open_to_all = {"GetSystemDateAndTime", "GetServices", "GetCapabilities"}
        if self.user and call not in open_to_all and not self._knows(request):
            return 400, ENVELOPE.format(NOT_AUTHORIZED)
        calls = {
            "GetSystemDateAndTime": self._date,
            "GetServices": self._services,
            "GetDeviceInformation": self._about,
            "GetProfiles": self._profiles_of,
            "GetStreamUri": self._stream_uri,
        }
        return 200, ENVELOPE.format(calls[call](request))

    def _now(self) -> datetime.datetime:
        off = datetime.timedelta(seconds=self.clock_off_s)
        return datetime.datetime.now(datetime.UTC) + off

    def _knows(self, request: str) -> bool:
        """WS-UsernameToken with a digest, made within seconds of the camera's own time."""
        parts = {
            name: match[1]
            for name in ("Username", "Password", "Nonce", "Created")
            if (match := re.search(rf"<(?:[\w-]+:)?{name}(?:\s[^>]*)?>([^<]*)<", request))
        }
        if len(parts) < 4 or parts["Username"] != self.user:
            return False
        created = datetime.datetime.fromisoformat(parts["Created"].replace("Z", "+00:00"))
        if abs((created - self._now()).total_seconds()) > CLOCK_MAY_DIFFER_S:
            return False
        secret = base64.b64decode(parts["Nonce"]) + parts["Created"].encode()
        digest = hashlib.sha1(secret + self.password.encode()).digest()
        return base64.b64encode(digest).decode() == parts["Password"]

    def _date(self, _: str) -> str:
        now = self._now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false"
            "</tt:DaylightSavings><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _services(self, _: str) -> str:
        # As from a camera whose settings still name an address of before.
        services = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{name}/wsdl</tds:Namespace>"
            f"<tds:XAddr>http://192.168.7.7/onvif/{name}_service</tds:XAddr><tds:Version>"
            "<tt:Major>2</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>"
            for name in ("device", "media")
        )
        return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"

    def _about(self, _: str) -> str:
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Simulated</tds:Manufacturer>"
            "<tds:Model>Street 1</tds:Model><tds:FirmwareVersion>1</tds:FirmwareVersion>"
            "<tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _profiles_of(self, _: str) -> str:
        profiles = "".join(
            f'<trt:Profiles token="{one.token}" fixed="true"><tt:Name>{one.token}</tt:Name>'
            f'<tt:VideoEncoderConfiguration token="e{one.token}"><tt:Name>e</tt:Name>'
            f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{one.encoding}</tt:Encoding>"
            f"<tt:Resolution><tt:Width>{one.width}</tt:Width><tt:Height>{one.height}</tt:Height>"
            "</tt:Resolution><tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>15"
            "</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048"
            "</tt:BitrateLimit></tt:RateControl><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type>"
            "<tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port>"
            "<tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
            "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
            "</trt:Profiles>"
            for one in self.profiles
        )
        return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"

    def _stream_uri(self, request: str) -> str:
        token = re.search(r"ProfileToken>([^<]+)<", request)
        (profile,) = (one for one in self.profiles if token and one.token == token[1])
        uri = escape(f"rtsp://{self.host}:554{profile.path}{self.uri_query}")
        return (
            f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{uri}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            "</trt:MediaUri></trt:GetStreamUriResponse>"
        )


def _handler_of(camera: OnvifCamera) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status, body = camera.answer(self.rfile.read(length).decode())
            self.send_response(status)
            self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
