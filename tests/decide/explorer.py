"""A small explicit-state explorer: every state a machine can reach, and every step from each."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

State = TypeVar("State", bound=Hashable)
Move = TypeVar("Move")


def explore(start: State, moves: Iterable[Move], step: Callable[[State, Move], State]) -> int:
    """Take every move from every state that can be reached, until there is no new one.

    `step` returns the state after a move and asserts what must hold. The walk is breadth first, so
    that a failure is told with a shortest way to it. Returns how many states there are.
    """
    every = tuple(moves)
    came: dict[State, tuple[State, Move] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for move in every:
            try:
                after = step(state, move)
            except AssertionError as error:
                way = [*_way(came, state), move]
                error.add_note("the way there:\n" + "\n".join(f"  {taken}" for taken in way))
                raise
            if after not in came:
                came[after] = (state, move)
                waiting.append(after)
    return len(came)


def _way(came: dict[State, tuple[State, Move] | None], state: State) -> list[Move]:
    """The moves that led from the start to `state`."""
    moves: list[Move] = []
    while (step := came[state]) is not None:
        state, move = step
        moves.append(move)
    return moves[::-1]
