"""The overlapping bands of the levels, as the site file gives them."""

import itertools
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Density = Annotated[float, Field(gt=0.0, le=12.0)]
Dwell = Annotated[float, Field(ge=0.0, le=600.0)]


class BandOptions(BaseModel):
    """One level: densities in persons per m2 at which it begins and ends, and for how long."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    rise: Density
    fall: Density
    rise_after_s: Dwell = 3.0
    fall_after_s: Dwell = 20.0

    @model_validator(mode="after")
    def _overlap(self) -> Self:
        if self.fall >= self.rise:
            raise ValueError(
                f"fall = {self.fall:g} must be below rise = {self.rise:g}, or the level flickers"
            )
        return self


class BandTable(BaseModel):
    """The three levels above CLEAR. Defaults after Seoul's usual 2, 3 and 5 persons per m2."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    caution: BandOptions = BandOptions(rise=2.0, fall=1.6)
    crowded: BandOptions = BandOptions(rise=3.0, fall=2.6)
    critical: BandOptions = BandOptions(rise=5.0, fall=4.3)

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        bands = (self.caution, self.crowded, self.critical)
        for lower, upper in itertools.pairwise(bands):
            if lower.rise >= upper.rise or lower.fall >= upper.fall:
                raise ValueError("rise and fall must grow from caution to crowded to critical")
        return self
