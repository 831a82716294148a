"""Pictures with the heads that people have marked in them, in the formats of labelling tools."""

from edge.labels.labelled import Labelled
from edge.labels.match import Truth
from edge.labels.read import read_labels

__all__ = ["Labelled", "Truth", "read_labels"]
