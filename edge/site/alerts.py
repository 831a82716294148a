"""Options of alerts to other systems: a city's warning system, and video management."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from edge.common.text import shown_text
from edge.site.section import Section, cleaned


def _cap_sender(text: str) -> str:
    if not re.fullmatch(r"[!-~]{1,100}", text) or re.search(r"[,<&]", text):
        raise ValueError(
            f"{text!r} must be 1 to 100 visible ASCII characters without comma, < and &, as CAP "
            "asks for; write a name of the city's own domain, such as pole-3.hongdae.example"
        )
    return text


Label = Annotated[str, Field(min_length=1, max_length=200), cleaned(shown_text)]
TopicLevel = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Alerts(Section):
    """Alerts to other systems; all are off by default.

    `cap`: a Common Alerting Protocol alert of `sender` while the site is CRITICAL, for the circle
    of `radius_m` around site.latitude and site.longitude, and by name for `area`. It is for the
    authorities in charge, unless it is `public`. `onvif`: an ONVIF event at each change of the
    level, about the camera that the video management system knows as `video_source`.
    """

    cap: bool = False
    sender: Annotated[str, AfterValidator(_cap_sender)] | None = None
    sender_name: Label | None = None
    contact: Label | None = None
    area: Label | None = None
    radius_m: Annotated[float, Field(ge=1, le=5000)] = 50.0
    public: bool = False
    onvif: bool = False
    video_source: TopicLevel = "1"

    @model_validator(mode="after")
    def _alert_has_a_sender(self) -> Self:
        if self.cap and self.sender is None:
            raise ValueError(
                "alerts.cap = true needs alerts.sender, who the alert is from; add a name of the "
                "city's own domain, such as pole-3.hongdae.example"
            )
        return self
