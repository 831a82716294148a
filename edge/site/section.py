"""What all tables of the site file have in common."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(f"{text!r} is blank; write what it is, or take the line out")
    return text


def cleaned(clean: Callable[[str], str]) -> BeforeValidator:
    """Text of people as it enters: composed, and not blank (edge/common/text.py)."""

    def clean_value(value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value  # told by the type's own bounds
        text = clean(value)
        if not text.strip():
            raise ValueError(f"{value!r} is blank; write words, or take it out")
        return text

    return BeforeValidator(clean_value)


# A name, an address or a path: left out where there is none, never empty.
Given = Annotated[str, AfterValidator(_not_blank)]


class Section(BaseModel):
    """A table of the site file: strict types, no unknown options, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
