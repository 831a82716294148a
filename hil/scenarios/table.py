"""What is true in the scenarios. Usage: table.py [NAME], with the repository on PYTHONPATH.

Without a name: a table of the recorded crowds. With a scenario's name: a CSV of its counted
stretch, second by second.
"""

import csv
import sys

import numpy as np

from edge.site.bands import BandTable
from edge.street.scenarios import SCENARIOS, load_crowd
from edge.street.truth import Truth

EVERY_S = 1.0
COLUMNS = ("time_s", "people", "density", "worst_patch")


def truths(crowd: str) -> list[tuple[float, Truth]]:
    """The truth of a recorded crowd, second by second."""
    paths = load_crowd(crowd)
    looks = np.zeros(paths.people, np.int64)
    times = np.arange(0.0, paths.length_s, EVERY_S).tolist()
    return [(at_s, Truth(paths.at(at_s, looks).feet)) for at_s in times]


def line(crowd: str) -> str:
    """A row of the table: seconds at or over each band's rise, on the worst patch."""
    found = [(truth.density(), truth.worst_patch()) for _, truth in truths(crowd)]
    density, patch = np.array(found).T
    bands = BandTable()
    rises = (bands.caution.rise, bands.crowded.rise, bands.critical.rise)
    over = " | ".join(f"{EVERY_S * np.sum(patch >= rise):.0f}" for rise in rises)
    paths = load_crowd(crowd)
    densest = f"{density.max():.1f} | {patch.max():.1f}"
    return f"| {crowd} | {paths.length_s:.0f} | {paths.people} | {densest} | {over} |"


def main(names: list[str]) -> None:
    """Print the table, or one scenario's course."""
    if not names:
        print(
            "| crowd | s | people | densest | densest patch | s CAUTION | s CROWDED | s CRITICAL |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for crowd in dict.fromkeys(scenario.crowd for scenario in SCENARIOS.values()):
            print(line(crowd))
        return
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    for at_s, truth in truths(SCENARIOS[names[0]].crowd):
        figures = (truth.density(), truth.worst_patch())
        out.writerow([f"{at_s:.1f}", truth.people(), *(f"{figure:.3f}" for figure in figures)])


if __name__ == "__main__":
    main(sys.argv[1:])
