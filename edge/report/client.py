"""paho's client as we use it: name, will, secrets and version of one connection."""

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.report.identity import client_id_of
from edge.report.limits import Version
from edge.report.negotiation import Terms
from edge.report.payloads import OFFLINE, OFFLINE_LIFETIME_S, topic
from edge.report.tls import context_of, password_of
from edge.site import Site

CONNECT_TIMEOUT_S = 5.0
BEST_TERMS = Terms("5")
VERSIONS: dict[Version, MQTTProtocolVersion] = {
    "5": MQTTProtocolVersion.MQTTv5,
    "3.1.1": MQTTProtocolVersion.MQTTv311,
}


def client_of(
    site: Site, client_id: str = "", will: str = OFFLINE, terms: Terms = BEST_TERMS
) -> mqtt.Client:
    """A client for the site's broker, with its last will: the unit's, and the one that tries it.

    `redroad check` has a `client_id` of its own beside a running unit, and a will that is true.
    """
    upstream = site.upstream
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id or client_id_of(site),
        protocol=VERSIONS[terms.version],
        # Otherwise paho itself would go on with a version and a name of its own.
        reconnect_on_failure=False,
    )
    if upstream.username is not None:
        client.username_pw_set(upstream.username, password_of(site))
    if (context := context_of(site)) is not None:
        client.tls_set_context(context)
    expiry = expiry_property(PacketTypes.WILLMESSAGE, OFFLINE_LIFETIME_S)
    client.will_set(
        topic(site, "availability"),
        will,
        qos=terms.will_qos,
        retain=terms.will_retain,
        properties=expiry if terms.version == "5" else None,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    return client


def expiry_property(packet: int, lifetime_s: int) -> Properties:
    """Return the property that limits how long a broker keeps a message (MQTT 5.0, 3.3.2.3.3)."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = lifetime_s
    return properties
