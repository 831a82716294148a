"""Options of the MQTT broker and of what goes there."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from edge.site.hosts import bare_host
from edge.site.section import Given, Section


def _web_address(text: str) -> str:
    """It is published: no login may stand in it."""
    if not re.fullmatch(r"https?://[^\s/@]+(/[^\s]*)?", text) or len(text) > 200:
        raise ValueError(
            "must be a web address without a login and of at most 200 characters; write it as "
            "'https://signs.example/pole-3'"
        )
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Upstream(Section):
    """The MQTT broker; without a `host` everything waits in the outbox.

    Without `commands` the unit does not subscribe to any. `configuration_url` is a page about this
    unit, to which Home Assistant's page of the device links.
    """

    host: Annotated[str, AfterValidator(bare_host)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    username: Given | None = None
    password_file: Given | None = None
    ca_file: Given | None = None
    cert_file: Given | None = None
    key_file: Given | None = None
    outbox_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    aggregate_s: Annotated[int, Field(ge=5, le=3600)] = 60
    commands: bool = True
    home_assistant: bool = True
    configuration_url: WebAddress | None = None
    fiware: bool = False

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("of upstream.cert_file and upstream.key_file one is missing; add it")
        if self.cert_file is not None and self.ca_file is None:
            raise ValueError("upstream.cert_file needs upstream.ca_file, the broker's authority")
        return self

    @model_validator(mode="after")
    def _password_is_somebodys(self) -> Self:
        """Without a name MQTT sends no password."""
        if self.password_file is not None and self.username is None:
            raise ValueError(
                "upstream.password_file needs upstream.username, whose password it is; add it, or "
                "take the file out"
            )
        return self
