"""The campaign's one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.campaign.judge import NEUTRAL_WITHIN_S
from hil.campaign.oracle import Beam
from hil.campaign.run import Told

HEAD = (
    "| fault | injected | worst time to neutral | worst time to recovery | promised | kept |\n"
    "|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Sums:
    """What holds for one unit's whole campaign."""

    seconds: int
    clear_s: int
    crowded_s: int
    wrong_clear: Sequence[int]
    lit_beside_neutral: Sequence[Beam]
    committed: int
    most_waiting: int
    destroyed: int
    lost: int
    pictures: Sequence[str]
    secrets: int
    whole: bool

    @property
    def kept(self) -> bool:
        """Whether all that must be nothing is nothing."""
        told = (self.wrong_clear, self.lit_beside_neutral, self.lost, self.pictures, self.secrets)
        return not any(told)

    def __str__(self) -> str:
        lit_s = sum(beam.seconds for beam in self.lit_beside_neutral)
        return (
            f'**wrong "clear": {len(self.wrong_clear)} s**{_when(self.wrong_clear)} of '
            f"{self.seconds:,} s watched, in which the sign said CLEAR for {self.clear_s:,} s and "
            f"must not for {self.crowded_s:,} s; **lost events: {self.lost}** of "
            f"{self.committed:,} seen on the disk, where at most {self.most_waiting:,} waited at "
            f"once, and {self.destroyed:,} more in a file when it was overwritten; beacon lit "
            "beside a neutral sign: "
            f"{lit_s:.1f} s{_when(beam.at for beam in self.lit_beside_neutral)}; pictures outside "
            "of `watch`: "
            f"{', '.join(self.pictures) or 'none'}; places with the broker's password: "
            f"{self.secrets or 'none'}{'' if self.whole else '; ended before its time'}"
        )


def _when(moments: Iterable[float]) -> str:
    """Seconds since boot, for who looks into the log."""
    told = ", ".join(f"{moment:.0f}" for moment in moments)
    return f" (at {told})" if told else ""


def table(all_told: Iterable[Told]) -> str:
    """A row for each kind of fault, by name; bursts and such come last."""
    rows = dict[str, list[Told]]()
    for told in sorted(all_told, key=lambda told: (told.injected > 1, told.name)):
        rows.setdefault(told.name.partition(":")[0], []).append(told)
    return "\n".join([HEAD, *(_row(name, told) for name, told in rows.items())])


def _row(name: str, told: Sequence[Told]) -> str:
    neutral = [one.neutral_s for one in told if one.neutral_s is not None]
    cells = (
        name,
        str(sum(one.injected for one in told)),
        f"{max(neutral):.1f} s" if neutral else "–",
        f"{max(one.back_s for one in told):.1f} s",
        f"{max(one.promised_s for one in told):g} s",
        "yes" if all(one.kept for one in told) else "**no**",
    )
    return f"| {' | '.join(cells)} |"


def broken(all_told: Iterable[Told]) -> list[str]:
    """In words, what was promised and not kept."""
    return [
        f"{one.name}: {_sign(one)}, back after {one.back_s:.1f} s (promised {one.promised_s:g})"
        for one in all_told
        if not one.kept
    ]


def _sign(told: Told) -> str:
    if told.neutral_s is None:
        return "the sign went on"
    return f"neutral after {told.neutral_s:.1f} s (promised {NEUTRAL_WITHIN_S:g}, or to go on)"
