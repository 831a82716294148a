"""What all tables of the site file have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(f"{text!r} is blank; write what it is, or take the line out")
    return text


# A name, an address or a path: left out where there is none, never empty.
Given = Annotated[str, AfterValidator(_not_blank)]


class Section(BaseModel):
    """A table of the site file: strict types, no unknown options, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
