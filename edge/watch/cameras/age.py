"""How old a live picture is when it comes, by the camera's own clock. Pure; all times in s.

A picture's time in the stream (RTP, MPEG-TS) counts from an unknown beginning. Of all pictures,
the one that came soonest after its time has waited least: by so much as another came later, it was
queued. What the soonest itself needed cannot be seen here, and is bounded by the round trip to the
camera and, while a queue grows, by its size over the rate of the link (decision 18).
"""

from collections import deque
from dataclasses import dataclass

# The camera's clock may run slow by so much against ours: quartz is within 100 parts in a million.
DRIFT = 200e-6
# At least so long, and for so many pictures, none may have come sooner: the first ones that a
# camera or FFmpeg gives may have lain there, and come all at once.
SETTLED_S, SETTLED_PICTURES = 0.5, 2
SOONER_S = 0.1
# A clock that jumps ahead by more than this is believed only when the next pictures agree; one that
# falls back by more than this was started anew. B-frames come out of order by less.
JUMP_S, BACK_S = 1.0, 3.0
GROWING_S = 0.25
RATE_OVER_S = 4.0
PENDING_S, PENDING_PICTURES = 0.5, 3


@dataclass(frozen=True)
class _Came:
    """A picture's data: its time in the stream, when it came, and its size in bytes."""

    media_s: float
    at_s: float
    size: int

    @property
    def lag_s(self) -> float:
        """By how much it came later than its time, but for an unknown constant."""
        return self.at_s - self.media_s


class MediaClock:
    """Learns how a stream's times go with ours, from when its data came.

    `held`: so many pictures FFmpeg keeps until the following ones begin: what came when it gives
    one out was a later one.
    """

    def __init__(self, *, held: int = 0) -> None:
        self._began_at_s = deque[float](maxlen=held + 1)
        self._last: _Came | None = None
        self._soonest: _Came | None = None
        self._lag_s = 0.0
        self._settling_since_s = 0.0
        self._settling = 0
        self._settled_lag_s = 0.0
        self._ahead = list[_Came]()
        self._recent = deque[_Came]()

    def came(self, media_s: float, at_s: float, size: int) -> None:
        """Note that the data of a picture of time `media_s` came at `at_s`."""
        self._began_at_s.append(at_s)
        if len(self._began_at_s) == self._began_at_s.maxlen:
            self._note(_Came(media_s, self._began_at_s[0], size))

    def queued_s(self, media_s: float, now_s: float) -> float | None:
        """For how long a picture lay in queues; None while that is not known."""
        lag_s = now_s - media_s - self._lag_s
        if not self._is_settled or lag_s < -JUMP_S:
            return None
        return max(0.0, lag_s)

    @property
    def waiting_s(self) -> float:
        """For how long the data that came last lay in queues, without what FFmpeg keeps."""
        return 0.0 if self._last is None else max(0.0, self._last.lag_s - self._lag_s)

    def way_s(self) -> float:
        """What the soonest picture itself needed over a link that is too slow; 0 where it is not.

        Its size over the rate of the link, which is known while a queue grows.
        """
        if self._soonest is None or self._last is None:
            return 0.0
        over_s = self._recent[-1].at_s - self._recent[0].at_s
        if self.waiting_s < GROWING_S or over_s <= 0:
            return 0.0
        rate = sum(came.size for came in list(self._recent)[1:]) / over_s
        return self._soonest.size / rate if rate else 0.0

    @property
    def _is_settled(self) -> bool:
        if self._last is None or self._ahead:
            return False
        since_s = self._last.at_s - self._settling_since_s
        return since_s >= SETTLED_S and self._settling >= SETTLED_PICTURES

    def _note(self, came: _Came) -> None:
        self._recent.append(came)
        while came.at_s - self._recent[0].at_s > RATE_OVER_S:
            self._recent.popleft()
        if self._last is None:
            self._begin(came, came.lag_s)
        elif came.media_s < self._last.media_s - BACK_S:
            # The clock began anew; what was queued before is queued still.
            self._begin(came, came.lag_s - (self._last.lag_s - self._lag_s))
        elif self._jumps(came, self._last):
            return
        else:
            self._compare(came, came.at_s - self._last.at_s)
        self._last = came

    def _begin(self, came: _Came, lag_s: float) -> None:
        self._soonest, self._lag_s, self._ahead = came, lag_s, []
        self._settle(came)

    def _settle(self, came: _Came) -> None:
        self._settling_since_s, self._settling = came.at_s, 0
        self._settled_lag_s = self._lag_s

    def _compare(self, came: _Came, since_s: float) -> None:
        self._ahead = []
        self._settling += 1
        self._lag_s += DRIFT * max(0.0, since_s)
        if came.lag_s <= self._lag_s:
            self._soonest, self._lag_s = came, came.lag_s
        if self._lag_s < self._settled_lag_s - SOONER_S:
            self._settle(came)

    def _jumps(self, came: _Came, last: _Came) -> bool:
        """Return whether its time lies ahead of ours: a stray one, unless the next ones agree."""
        ahead = came.lag_s < self._lag_s - JUMP_S and came.lag_s < last.lag_s - JUMP_S
        if not ahead:
            return False
        if self._ahead and abs(came.lag_s - self._ahead[-1].lag_s) > JUMP_S:
            self._ahead = []
        self._ahead.append(came)
        long = came.at_s - self._ahead[0].at_s >= PENDING_S
        if long and len(self._ahead) >= PENDING_PICTURES:
            self._begin(came, min(one.lag_s for one in self._ahead))
            self._last = came
        return True
