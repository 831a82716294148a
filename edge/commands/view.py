"""`redroad view accept`: the camera was turned on purpose."""

from pathlib import Path

from edge.watch.baseline_store import forget_baseline
from edge.watch.view_store import accept_view


def accept(state: Path) -> str:
    """Forget the stored view, so that the present one is learnt; returns what to do next."""
    watch = state / "watch"
    forget_baseline(watch)  # before the view: a running unit forgets what it knows with that
    if accept_view(watch):
        return (
            "the old view is forgotten, and what was counted in it where nobody is; keep the "
            "camera still for two minutes while it learns the new"
        )
    return f"no view is kept in {state}: a running unit learns the one it sees"
