"""Units of time: moments and durations are whole nanoseconds, options and messages give seconds.

Pure, so that the core of decide may import it, too.
"""

NS_PER_S = 1_000_000_000


def seconds(duration_ns: int) -> float:
    """Convert a duration from nanoseconds to seconds."""
    return duration_ns / NS_PER_S


def nanoseconds(duration_s: float) -> int:
    """Convert a duration from seconds to nanoseconds."""
    return round(duration_s * NS_PER_S)
