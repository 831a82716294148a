"""What had to be assumed of files, in a line each; the same of many files once."""

from pathlib import Path


class Notes:
    """Collects notes: `fresh` has the lines that are due, `rest` what came again and again."""

    def __init__(self) -> None:
        self._more: dict[str, int] = {}
        self._due: list[str] = []

    def note(self, path: Path, text: str) -> None:
        """Keep a note of a file."""
        if text in self._more:
            self._more[text] += 1
        else:
            self._more[text] = 0
            self._due.append(f"note: {path}: {text}")

    def fresh(self) -> list[str]:
        """Return the lines that were not returned before."""
        due, self._due = self._due, []
        return due

    def rest(self) -> list[str]:
        """A line for every note that more files than one gave."""
        return [
            f"note: the same of {more} more files: {text}"
            for text, more in self._more.items()
            if more
        ]
