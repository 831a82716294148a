"""The campaign's one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.campaign.faults import NEUTRAL_WITHIN_S
from hil.campaign.run import Told

HEAD = (
    "| fault | injected | worst time to neutral | worst time to recovery | promised | kept |\n"
    "|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Sums:
    """What holds for the whole campaign."""

    seconds: int
    clear_s: int
    crowded_s: int
    wrong_clear: Sequence[int]
    committed: int
    destroyed: int
    lost: int
    pictures: Sequence[str]
    secrets: int

    @property
    def kept(self) -> bool:
        """Whether all that must be nothing is nothing."""
        return not (self.wrong_clear or self.lost or self.pictures or self.secrets)

    @property
    def _when(self) -> str:
        """Seconds since boot, for who looks into the log."""
        return f" (at {', '.join(map(str, self.wrong_clear))})" if self.wrong_clear else ""

    def __str__(self) -> str:
        return (
            f"watched for {self.seconds} s: the sign said CLEAR for {self.clear_s} s, and must "
            f"not for {self.crowded_s} s\n"
            f'wrong "clear": {len(self.wrong_clear)} s{self._when}\n'
            f"events seen on the disk: {self.committed}; lost: {self.lost} "
            f"({self.destroyed} waited in a file when it was damaged, and are not asked for)\n"
            f"pictures outside watch: {', '.join(self.pictures) or 'none'}\n"
            f"places with the broker's password: {self.secrets}"
        )


def table(all_told: Iterable[Told]) -> str:
    """A row for each kind of fault, in the order in which they came first."""
    rows = dict[str, list[Told]]()
    for told in all_told:
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
        f"{one.name}: neutral after {one.neutral_s} s (promised {NEUTRAL_WITHIN_S:g}), back after "
        f"{one.back_s:.1f} s (promised {one.promised_s:g})"
        for one in all_told
        if not one.kept
    ]
