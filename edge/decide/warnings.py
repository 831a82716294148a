"""What is dangerous in how people move, beside how many they are.

People go on moving at 10 per m2, and stand at ease at 2: density alone misleads, and speed alone
too. So both warnings speak only of dense crowds, and never make less of what the density says.
"""

from edge.common.wire import Occupancy
from edge.site.schema import Warnings


def warning_of(options: Warnings, seen: Occupancy) -> str:
    """The warning in words; empty when nothing is known to be dangerous.

    Crowd pressure announces turbulence: a crowd that is pushed about (Helbing and others, Phys.
    Rev. E 75, 046109, 2007). At a standstill of a dense crowd its outflow has broken down.
    """
    if not seen.peak >= options.from_density:
        return ""
    found = []
    if seen.pressure is not None and seen.pressure >= options.pressure:
        found.append(f"crowd pressure of {seen.pressure:.2f}/s²")
    if seen.speed is not None and seen.speed <= options.standstill_m_s:
        found.append(f"standstill at {seen.speed:.2f} m/s")
    return " and ".join(found)
