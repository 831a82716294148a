"""The campaign's one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.campaign.judge import NEUTRAL_WITHIN_S
from hil.campaign.oracle import Beam
from hil.campaign.run import FaultResult

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
        violations = (
            self.wrong_clear,
            self.lit_beside_neutral,
            self.lost,
            self.pictures,
            self.secrets,
        )
        return not any(violations)

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
    """Return the seconds since boot, for anyone who searches the log."""
    listed = ", ".join(f"{moment:.0f}" for moment in moments)
    return f" (at {listed})" if listed else ""


def table(results: Iterable[FaultResult]) -> str:
    """A row for each kind of fault, by name; bursts and such come last."""
    rows = dict[str, list[FaultResult]]()
    for result in sorted(results, key=lambda result: (result.injected > 1, result.name)):
        rows.setdefault(result.name.partition(":")[0], []).append(result)
    return "\n".join([HEAD, *(_row(name, group) for name, group in rows.items())])


def _row(name: str, results: Sequence[FaultResult]) -> str:
    neutral = [one.neutral_s for one in results if one.neutral_s is not None]
    cells = (
        name,
        str(sum(one.injected for one in results)),
        f"{max(neutral):.1f} s" if neutral else "–",
        f"{max(one.back_s for one in results):.1f} s",
        f"{max(one.promised_s for one in results):g} s",
        "yes" if all(one.kept for one in results) else "**no**",
    )
    return f"| {' | '.join(cells)} |"


def broken(results: Iterable[FaultResult]) -> list[str]:
    """In words, what was promised and not kept."""
    return [
        f"{one.name}: {_sign(one)}, back after {one.back_s:.1f} s (promised {one.promised_s:g})"
        for one in results
        if not one.kept
    ]


def _sign(result: FaultResult) -> str:
    if result.neutral_s is None:
        return "the sign went on"
    return f"neutral after {result.neutral_s:.1f} s (promised {NEUTRAL_WITHIN_S:g}, or to go on)"
