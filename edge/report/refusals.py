"""Why a broker does not let us in, in plain words. Pure.

After MQTT 5, table 3-1 (Connect Reason Codes); paho gives the codes of 3.1.1 as those.
"""

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_LOGIN = "check upstream.username and password_file"
_OPERATOR = "it is for whoever runs the broker to mend"
_LATER = "it is tried again; if that lasts, ask whoever runs the broker"
WORDS = {
    128: _OPERATOR,
    129: f"it does not understand what we send; {_OPERATOR}",
    130: f"it does not understand what we send; {_OPERATOR}",
    132: 'it speaks another version of MQTT; set upstream.protocol = "auto", or update it',
    133: "it takes no client of our id; allow {client_id} there, or change site.unit",
    134: f"it does not know this user or this password; {_LOGIN}",
    135: f"it does not let this unit in; {_LOGIN}, the certificate, and its permissions",
    136: f"it is not available; {_LATER}",
    137: f"it is busy; {_LATER}",
    138: f"it has banned this unit; {_OPERATOR}",
    140: f"it wants another way to log in than a password or a certificate; {_OPERATOR}",
    144: "it does not take the topic of our last will, availability; allow that topic there",
    149: "our first packet is too large for it; raise its limit",
    151: f"we are over its quota; {_OPERATOR}",
    153: f"it does not take our last will; {_OPERATOR}",
    154: "it keeps no messages, as our last will is kept; let it retain messages",
    155: "it does not take QoS 1; allow that",
    156: "another one serves us; set upstream.host{server}",
    157: "it has moved; set upstream.host{server}",
    159: f"too many connect at once; {_LATER}",
}


def refusal(code: ReasonCode, properties: Properties | None = None, client_id: str = "") -> str:
    """Return in words why a CONNACK refused the connection, and what to do."""
    server = getattr(properties, "ServerReference", "")
    words = WORDS.get(code.value, _OPERATOR).format(
        client_id=client_id or "it", server=f" to {server}" if server else ""
    )
    return f"the broker refuses us: {str(code).lower()}: {words}"
