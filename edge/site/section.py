"""What all tables of the site file have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the site file: strict types, no unknown options, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
