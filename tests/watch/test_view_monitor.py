import functools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.sighting import HIDDEN_MOST, UNLIKE_MOST
from edge.common.units import nanoseconds
from edge.street.scene import Scene
from edge.watch.frame import Pixels
from edge.watch.thumbnail import sampled
from edge.watch.view import View, edges_of
from edge.watch.view_monitor import LEARN_S, LOOKS, PERSIST_S, Seen, ViewMonitor
from hil.testkit.data import needs
from tests.bench.degrade import Turn, covered, half_decoded, hidden, rained_on, turned
from tests.watch import views
from tests.watch.made import noise

LONG = 2 * int(PERSIST_S) + LOOKS
CENTRED = Turn()
TURNS = [
    Turn(right=2 / 60),
    Turn(right=-10 / 60),
    Turn(down=3 / 60),
    Turn(roll=10),
    Turn(zoom=1.2),
]


@functools.cache
def street(night: bool = False) -> list[Pixels]:
    """Half a minute of the simulated street, a frame every third second."""
    scene = Scene(320, 176, night=night)
    return [scene.at(3.0 * index).pixels for index in range(10)]


def shown(turn: Turn, frames: int = LONG) -> list[Pixels]:
    """The street through a camera turned so."""
    return [turned(street()[index % 10], turn) for index in range(frames)]


def view() -> View:
    return views.view_of(shown(CENTRED, 10))


def moved(view: View, pictures: list[Pixels]) -> list[bool]:
    return [seen.moved for seen in views.watched(view, pictures)]


def learn(guard: ViewMonitor, pictures: list[Pixels], seconds: int) -> None:
    for at in range(seconds):
        guard.look(sampled(pictures[at * len(pictures) // seconds]), nanoseconds(at + 1))


def test_a_view_is_learnt_in_two_minutes_and_then_kept() -> None:
    guard = ViewMonitor()
    learn(guard, shown(CENTRED), int(LEARN_S))
    assert guard.status == "learning"
    guard.look(sampled(shown(CENTRED)[0]), nanoseconds(LEARN_S + 1))
    assert guard.view is not None
    assert guard.status == "kept"


def test_no_view_is_learnt_while_the_camera_is_turned() -> None:
    guard = ViewMonitor()
    learn(guard, shown(CENTRED, 5) + shown(Turn(right=0.15), 5), int(LEARN_S) + 2)
    assert guard.view is None


def test_nothing_is_learnt_from_pictures_of_different_places() -> None:
    """As a folder of assorted pictures shows them: each is trusted, none is called moved."""
    guard = ViewMonitor()
    for at in range(1, 200):
        seen = guard.look(sampled(noise(seed=at)), nanoseconds(at))
        assert seen == Seen()
    assert guard.status == "learning"


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_camera_is_found_after_ten_seconds(turn: Turn) -> None:
    found = moved(view(), shown(CENTRED, 5) + shown(turn))
    assert not any(found[: 5 + int(PERSIST_S)])
    assert found[-1]


@pytest.mark.parametrize("turn", TURNS)
def test_a_camera_knocked_before_a_start_is_moved_from_the_first_picture_on(turn: Turn) -> None:
    """Else each start would show a level from the wrong place until the move is believed."""
    found = moved(view(), shown(turn, 12) + shown(CENTRED, 12))
    assert all(found[:12])
    assert not found[-1]
    assert not moved(view(), shown(CENTRED, 1))[0]


def test_the_view_is_trusted_again_once_it_is_back() -> None:
    found = moved(view(), shown(TURNS[1]) + shown(CENTRED))
    assert found[LONG - 1]
    assert not found[-1]


def test_a_camera_knocked_for_a_moment_is_not_moved() -> None:
    knocked = shown(CENTRED, 5) + shown(TURNS[1], 3) + shown(CENTRED)
    assert not any(moved(view(), knocked))


def test_night_is_no_move() -> None:
    """The view learnt by day."""
    assert not any(moved(views.view_of(street()), street(night=True) * 3))


def test_a_bus_that_stands_in_half_of_the_picture_is_no_move() -> None:
    pictures = [hidden(pixels, 0.5) for pixels in street()] * 4
    assert not any(moved(views.view_of(street()), pictures))


def test_another_size_of_picture_is_another_view() -> None:
    assert moved(view(), [noise(seed=at) for at in range(LONG)])[-1]


@pytest.mark.parametrize(
    "worse",
    [lambda p: covered(p, 0.75), lambda p: half_decoded(p, 0.6), lambda p: rained_on(p, 0.9)],
)
def test_a_lens_covered_in_part_is_found_at_once(worse: views.Change) -> None:
    found = views.watched(views.view_of(street()), [worse(street()[5])])
    assert found == [Seen(covered=True)]


def test_what_is_hidden_is_told_cell_by_cell() -> None:
    """Of a lens that is covered by two fifths: there, and nowhere else."""
    pictures = views.scene(10)
    free, *_, part = views.watched(
        views.view_of(pictures), [*pictures, *[covered(pixels, 0.4) for pixels in pictures]]
    )
    assert free.hidden is not None
    assert part.hidden is not None
    assert not part.covered
    columns = part.hidden.shape[1]
    assert float(part.hidden[:, : columns // 3].mean()) > HIDDEN_MOST
    assert float(part.hidden[:, columns // 2 :].mean()) < HIDDEN_MOST / 2
    assert float(free.hidden.mean()) < HIDDEN_MOST / 2


def test_what_hides_the_view_by_edges_of_its_own_is_unlike_it() -> None:
    """As umbrellas and cloth do; none of the view's edges is missed there."""
    cloth = cv2.GaussianBlur(noise(176, 100), (0, 0), 1.5)
    cloth = cv2.normalize(cloth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    hung = [np.hstack([cloth, pixels[:, 100:]]) for pixels in street()]
    free, *_, part = views.watched(views.view_of(street()), [*street(), *hung])
    assert free.unlike is not None
    assert part.unlike is not None
    assert part.hidden is not None
    columns = part.unlike.shape[1]
    assert float(part.unlike[:, : columns // 4].mean()) > UNLIKE_MOST
    assert float(part.hidden[:, : columns // 4].mean()) < HIDDEN_MOST
    assert float(part.unlike[:, columns // 2 :].mean()) < UNLIKE_MOST - 0.2
    assert float(free.unlike.mean()) < UNLIKE_MOST - 0.2


def test_where_the_view_shows_nothing_it_cannot_be_unlike() -> None:
    """Asphalt has no edges: whatever comes, nothing is known of it."""
    edges = edges_of(sampled(street()[0]))
    plain = View(edges * (np.arange(edges.shape[2]) >= edges.shape[2] // 2))
    unlike = plain.unlike(edges_of(sampled(noise(176, 320))))
    assert np.all(unlike[:, : edges.shape[2] // 4] == 0)


def test_forgetting_begins_anew() -> None:
    guard = ViewMonitor(view())
    for at, pixels in enumerate(shown(TURNS[1]), 1):
        guard.look(sampled(pixels), nanoseconds(at))
    assert guard.status == "moved"
    guard.forget()
    assert guard.look(sampled(shown(TURNS[1])[0]), nanoseconds(1000)) == Seen()
    assert guard.status == "learning"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 25)), min_size=1, max_size=8))
def test_moved_never_changes_sooner_than_it_is_believed(spells: list[tuple[bool, int]]) -> None:
    """However often the camera is turned away and back."""
    here, away = edges_for(CENTRED), edges_for(TURNS[1])
    pictures = [here, *(away if gone else here for gone, seconds in spells for _ in range(seconds))]
    found = [False, *moved(view(), pictures)]
    changes = [at for at in range(1, len(found)) if found[at] != found[at - 1]]
    between = np.diff([0, *changes])
    assert all(between > PERSIST_S)
    assert not changes or max(seconds for gone, seconds in spells if gone) > 1


@functools.cache
def edges_for(turn: Turn) -> Pixels:
    return shown(turn, 1)[0]


def test_the_view_shows_nobody() -> None:
    """Somebody who stands there for a tenth of the time leaves almost nothing behind."""
    empty = street()[0]
    with_somebody = empty.copy()
    with_somebody[60:110, 150:170] = noise(50, 20)
    alone = views.view_of([empty])
    learnt = views.view_of([empty] * 9 + [with_somebody])
    seen = np.abs(edges_of(sampled(with_somebody)) - alone.edges).max()
    assert np.abs(learnt.edges - alone.edges).max() <= 0.101 * seen


@needs(views.STATION)
@pytest.mark.parametrize("name", ["station_1-20170506122225", "station_2-20170505100648"])
def test_a_real_station_s_day_is_no_move(name: str) -> None:
    """Crowds, buses, and hard shadows that come and go."""
    pictures = views.stretch(name)
    assert not any(moved(views.view_of(pictures[: views.LEARNT_FROM]), pictures))


@needs(views.STATION)
def test_a_switch_to_another_real_camera_is_found() -> None:
    one, other = (
        views.stretch("station_1-20170506122225"),
        views.stretch("station_2-20170505100648"),
    )
    found = moved(views.view_of(one[: views.LEARNT_FROM]), one + other)
    assert not any(found[: len(one)])
    assert found[-1]
