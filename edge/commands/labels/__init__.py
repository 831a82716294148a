"""Pictures with the heads that people have marked in them, in the formats of labelling tools."""

from edge.commands.labels.labelled import Labelled
from edge.commands.labels.match import Truth
from edge.commands.labels.read import read_labels

__all__ = ["Labelled", "Truth", "read_labels"]
