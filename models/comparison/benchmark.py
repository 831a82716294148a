"""`make bench-models`: our counter against others, in one run, on the same pictures and threads.

Prints one table and draws accuracy over cost. Times are taken in turns, so that what else the
machine does hits all alike; trust the ratios before the milliseconds.
"""

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from edge.street.scene import Scene
from models.comparison.contestants import Contestant, Pixels, Work, all_contestants, label
from models.comparison.cost import Cost
from models.comparison.rows import Errors, Row, errors_of

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "out" / "bench-models.png"
PUBLISHED = ROOT / "deploy" / "pictures" / "accuracy-over-cost.png"
SETS = ("street", "station")
THREADS = (1, 2)
TIMED_PICTURE = (1024, 768)  # of the simulated street, so that times need no data set
SECONDS, FEWEST_ROUNDS = 45.0, 5


def times_in_turns(
    works: Sequence[Work], pixels: Pixels, seconds: float, fewest: int = FEWEST_ROUNDS
) -> NDArray[np.float64]:
    """Milliseconds of shape (rounds, works), after one round that is not kept."""
    for work in works:
        work(pixels)
    rounds: list[list[float]] = []
    until = time.perf_counter() + seconds
    while len(rounds) < fewest or time.perf_counter() < until:
        rounds.append([_taken_ms(work, pixels) for work in works])
    return np.asarray(rounds)


def _taken_ms(work: Work, pixels: Pixels) -> float:
    began = time.perf_counter()
    work(pixels)
    return 1000 * (time.perf_counter() - began)


def reference_of(contestants: Sequence[Contestant], index: int) -> int:
    """Which of ours a contestant is compared with: of its input, or of the timed picture's size."""
    size = contestants[index].size or TIMED_PICTURE
    ours = [n for n, one in enumerate(contestants) if one.kind == "ours"]
    return min(ours, key=lambda n: _unlike(contestants[n].size or TIMED_PICTURE, size))


def _unlike(one: tuple[int, int], other: tuple[int, int]) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def peak_mb(contestant: str) -> float:
    """Peak resident memory of a fresh process that opens it and takes one picture; MB."""
    command = [sys.executable, "-m", "models.comparison.benchmark", "--memory-of", contestant]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout.split()[-1])


def _own_peak_mb() -> float:
    """Of this process since it began its program, which getrusage does not tell apart."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def _print_own_peak(contestants: Sequence[Contestant], wanted: str) -> None:
    for contestant in contestants:
        if label(contestant) == wanted:
            contestant.open(threads=1)(_picture())
    click.echo(f"{_own_peak_mb():.1f}")


def _picture() -> Pixels:
    return Scene(*TIMED_PICTURE).at(28.0).pixels


def table(rows: Sequence[Row], sets: Sequence[str] = SETS) -> str:
    """The rows as text, a line each under a heading of two lines."""
    threads = sorted({count for row in rows for count in row.ms})
    top = ["", "", "param.", "", *[f"{n} thread{'s' * (n > 1)}" for n in threads for _ in (0, 1)]]
    heads = ["contestant", "input", "M", "GMAC", *["ms", "x ours"] * len(threads)]
    top += ["peak", *[f"{name} val" for name in sets for _ in range(3)]]
    heads += ["MB", *["MAE", "RMSE", "bias"] * len(sets)]
    lines = [_without_repeats(top), heads, *[_cells(row, threads, sets) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _without_repeats(titles: Sequence[str]) -> list[str]:
    return [
        "" if n and title == titles[n - 1] else title for n, title in enumerate(titles)
    ]  # fmt: skip


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _cells(row: Row, threads: Sequence[int], sets: Sequence[str]) -> list[str]:
    size = "as it is" if row.size is None else f"{row.size[0]}x{row.size[1]}"
    cost = ["-", "-"] if row.cost is None else [_millions(row.cost), f"{row.cost.gmac:.2f}"]
    times = [text for n in threads for text in (f"{row.ms[n]:.1f}", f"{row.ratio[n]:.2f}")]
    found = [text for name in sets for text in _error_cells(row, name)]
    return [row.name, size, *cost, *times, f"{row.peak_mb:.0f}", *found]


def _millions(cost: Cost) -> str:
    return f"{cost.parameters / 1e6:.2f}"


def _error_cells(row: Row, name: str) -> list[str]:
    if row.speed_only:
        return ["speed", "only", ""]
    if name not in row.errors:
        return ["-", "-", "-"]
    errors = row.errors[name]
    return [f"{errors.mae:.1f}", f"{errors.rmse:.1f}", f"{errors.bias:+.1f}"]


def _sets(data: Path | None, pictures: int | None) -> dict[str, list[Any]]:
    """The val pictures, evenly thinned to `pictures` a set; none, saying so, without a data set."""
    if data is None:
        click.echo("accuracy: not measured, no data set; name its folder with REDROAD_DATA")
        return {}
    from models.pictures import load_set

    try:
        examples = {name: load_set(data, name, "val") for name in SETS}
    except click.UsageError as error:
        click.echo(f"accuracy: not measured, {error.message}")
        return {}
    return {name: thinned(found, pictures) for name, found in examples.items()}


def thinned(examples: Sequence[Any], count: int | None) -> list[Any]:
    """At most `count` examples, evenly spread."""
    if count is None or count >= len(examples):
        return list(examples)
    return [examples[index * len(examples) // count] for index in range(count)]


def _errors(work: Work, examples: Sequence[Any]) -> Errors:
    found = [work(example.pixels) for example in examples]
    return errors_of(
        [len(example.heads) for example in examples], [count or 0.0 for count in found]
    )


def _openable(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Those whose libraries are there; says which are left out."""
    kept = []
    for contestant in contestants:
        try:
            contestant.open(1)
        except ImportError as error:
            click.echo(f"{label(contestant)}: left out, {error}; run it as `make bench-models`")
        else:
            kept.append(contestant)
    return kept


def _progress(text: str) -> None:
    click.echo(text, err=True)


def bench(
    contestants: Sequence[Contestant], sets: Mapping[str, Sequence[Any]], seconds: float
) -> list[Row]:
    """Time, weigh and measure everybody."""
    pixels = _picture()
    ms: dict[int, NDArray[np.float64]] = {}
    for threads in THREADS:
        _progress(f"times on {threads} thread{'s' * (threads > 1)}")
        works = [contestant.open(threads) for contestant in contestants]
        ms[threads] = times_in_turns(works, pixels, seconds)
    rows = []
    for index, contestant in enumerate(contestants):
        _progress(f"memory and errors of {label(contestant)}")
        reference = reference_of(contestants, index)
        speed_only = contestant.kind == "peer"
        work = contestant.open(max(THREADS))
        rows.append(
            Row(
                contestant.name,
                contestant.size,
                speed_only,
                contestant.cost(),
                {n: statistics.median(taken[:, index]) for n, taken in ms.items()},
                {n: float(np.median(t[:, index] / t[:, reference])) for n, t in ms.items()},
                peak_mb(label(contestant)),
                {} if speed_only else {name: _errors(work, some) for name, some in sets.items()},
            )
        )
    return rows


@click.command()
@click.option("--data", type=click.Path(path_type=Path), envvar="REDROAD_DATA", help="The sets.")
@click.option("--pictures", type=click.IntRange(min=2), help="At most so many of each set.")
@click.option("--seconds", default=SECONDS, show_default=True, help="For each number of threads.")
@click.option("--only", multiple=True, metavar="LABEL", help="These contestants; repeatable.")
@click.option("--publish", is_flag=True, help=f"Draw {PUBLISHED.relative_to(ROOT)} too.")
@click.option("--memory-of", hidden=True)
def main(
    *,
    data: Path | None,
    pictures: int | None,
    seconds: float,
    only: tuple[str, ...],
    publish: bool,
    memory_of: str | None,
) -> None:
    """Print the table and draw accuracy over cost."""
    contestants = all_contestants()
    if memory_of is not None:
        _print_own_peak(contestants, memory_of)
        return
    names = [label(contestant) for contestant in contestants]
    if unknown := set(only) - set(names):
        raise click.UsageError(f"--only {unknown.pop()} is unknown; one of {', '.join(names)}")
    if only:
        contestants = [one for one in contestants if label(one) in only]
    rows = bench(_openable(contestants), sets := _sets(data, pictures), seconds)
    click.echo(f"\n{platform.machine()}, Python {platform.python_version()}")
    click.echo(table(rows, tuple(sets)))
    click.echo(_notes(sets))
    _draw(rows, [PICTURE, PUBLISHED] if publish else [PICTURE])


def _notes(sets: Mapping[str, Sequence[Any]]) -> str:
    wide, high = TIMED_PICTURE
    counted = ", ".join(f"{len(examples)} of {name}" for name, examples in sets.items())
    return "\n".join(
        (
            f"ms: median from a picture of {wide}x{high} px to the result, scaling included, taken "
            "in turns; x ours: median ratio to ours of the same input",
            "peers: int8 like ours, random weights, boxes not decoded; they say speed only",
            f"HOG: native px, stride 8, padding 8, sizes 1.05 apart; x ours is to {wide}x{high}",
            f"peak: resident, of a fresh process; Python and its libraries alone {peak_mb(''):.0f}",
            *([f"errors: heads, on the val pictures ({counted}), the same for all"] * bool(sets)),
        )
    )


def _draw(rows: Sequence[Row], paths: Sequence[Path]) -> None:
    if not any("street" in row.errors for row in rows):
        click.echo("no picture of accuracy over cost: no accuracy on street")
        return
    from models.comparison.drawing import draw

    for path in paths:
        path.parent.mkdir(exist_ok=True)
        draw(rows, path)
        click.echo(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
