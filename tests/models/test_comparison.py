"""What `make bench-models` computes, counts and prints; nothing is timed."""

import re

import numpy as np
import pytest

from edge.watch.manifest import Manifest, shipped_manifest
from models.comparison.anchors import ANCHORS, CSRNET, DM_COUNT, PART_B, by_area, mcnn_cost
from models.comparison.benchmark import reference_of, table, thinned
from models.comparison.contestants import (
    Contestant,
    Ours,
    Pedestrians,
    Peer,
    all_contestants,
    label,
)
from models.comparison.cost import Conv, Cost, Scale, cost_of_file, cost_of_layers
from models.comparison.drawing import street_rows
from models.comparison.rows import Row, errors_of


def ours() -> list[Ours]:
    manifest = Manifest(shipped_manifest())
    return [Ours(manifest, entry) for entry in manifest.entries]


def test_cost_of_a_file_is_what_the_workshop_counted_from_the_network() -> None:
    for contestant in ours():
        assert contestant.cost().gmac == pytest.approx(contestant.entry.gmac, abs=0.001)


def test_every_peer_holds_its_parameters_as_bytes_and_costs_more_when_larger() -> None:
    costs: dict[str, list[tuple[int, Cost]]] = {}
    for peer in (one for one in all_contestants() if isinstance(one, Peer)):
        cost = cost_of_file(content := peer.path.read_bytes())
        assert 0 < cost.parameters < len(content)
        costs.setdefault(peer.name, []).append((peer.size[0] * peer.size[1], cost))
    assert costs
    for found in costs.values():
        (area, first), *others = sorted(found, key=lambda pair: pair[0])
        for other_area, other in others:
            assert other.parameters == first.parameters
            assert other.mac / first.mac == pytest.approx(other_area / area, rel=0.03)


def test_cost_of_layers_by_hand() -> None:
    layers = (Conv(4), Scale(0.5), Conv(2, 1))
    cost = cost_of_layers(layers, (8, 6))
    assert cost.parameters == (3 * 3 * 3 * 4 + 4) + (4 * 2 + 2)
    assert cost.mac == 3 * 3 * 3 * 4 * (8 * 6) + 4 * 2 * (4 * 3)


@pytest.mark.parametrize(
    ("millions", "parameters"),
    [
        (16.26, cost_of_layers(CSRNET, PART_B).parameters),
        (21.50, cost_of_layers(DM_COUNT, PART_B).parameters),
        (0.13, mcnn_cost(PART_B).parameters),
    ],
)
def test_anchors_have_the_parameters_that_their_papers_state(
    millions: float, parameters: int
) -> None:
    assert round(parameters / 1e6, 2) == millions


def test_cost_by_area_of_the_same_picture_is_the_same() -> None:
    assert by_area(1.5, PART_B) == 1.5
    assert by_area(1.5, (PART_B[0] // 2, PART_B[1] // 2)) == 6.0


def test_anchors_are_reported_apart_and_sourced() -> None:
    assert len({anchor.name for anchor in ANCHORS}) == len(ANCHORS)
    for anchor in ANCHORS:
        assert 0 < anchor.mae < anchor.rmse
        assert anchor.source
        assert anchor.cost_source


def test_errors_of_known_counts() -> None:
    errors = errors_of([10, 20, 30, 40], [13, 16, 30, 40])
    assert (errors.pictures, errors.mae, errors.rmse, errors.bias) == (4, 7 / 4, 2.5, -1 / 4)
    assert errors.mae_90[0] < errors.mae < errors.mae_90[1]


def test_errors_of_a_constant_miss_have_no_spread() -> None:
    errors = errors_of([1, 2, 3], [3, 4, 5])
    assert (errors.mae, errors.rmse, errors.bias, errors.mae_90) == (2, 2, 2, (2, 2))


def test_each_is_compared_with_ours_of_its_own_input() -> None:
    contestants: list[Contestant] = list(all_contestants())
    sizes = [one.size for one in ours()]
    for index, one in enumerate(contestants):
        reference = contestants[reference_of(contestants, index)]
        assert reference.kind == "ours"
        if one.size in sizes:
            assert reference.size == one.size


def test_labels_tell_all_contestants_apart() -> None:
    labels = [label(one) for one in all_contestants()]
    assert len(set(labels)) == len(labels)


def row(name: str, *, peer: bool = False, counts: bool = True) -> Row:
    errors = {"street": errors_of([10, 20], [12, 20])} if counts and not peer else {}
    cost = Cost(500_000, 1_500_000_000) if name != Pedestrians().name else None
    return Row(name, (640, 352) if cost else None, peer, cost, {1: 20.0}, {1: 1.25}, 70.4, errors)


def test_table_says_what_is_known_of_each() -> None:
    text = table([row("ours"), row("other", peer=True), row(Pedestrians().name)], ("street",))
    _, heads, mine, other, detector = text.splitlines()
    assert heads.split()[-3:] == ["MAE", "RMSE", "bias"]
    assert " ".join(mine.split()) == "ours 640x352 0.50 1.50 20.0 1.25 70 1.0 1.4 +1.0"
    assert re.search(r"speed\s+only$", other)
    assert re.search(r"as it is\s+-\s+-\s+20\.0", detector)


def test_table_without_a_data_set_has_no_columns_of_errors() -> None:
    text = table([row("ours", counts=False), row("other", peer=True)], ())
    assert "MAE" not in text
    assert "speed" not in text


@pytest.mark.parametrize("count", [1, 7, 40])
def test_thinned_pictures_are_evenly_spread(count: int) -> None:
    kept = thinned(range(40), count)
    assert len(kept) == count
    gaps = np.diff(kept)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_no_limit_keeps_every_picture() -> None:
    assert thinned(range(5), None) == [0, 1, 2, 3, 4]
    assert thinned(range(5), 9) == [0, 1, 2, 3, 4]


def test_drawing_takes_only_what_has_a_cost_and_an_error() -> None:
    rows = [row("ours"), row("other", peer=True), row(Pedestrians().name)]
    assert [taken.name for taken in street_rows(rows)] == ["ours"]
