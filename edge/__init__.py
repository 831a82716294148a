"""Red Road edge: a street sign that counts heads and tells the people in its street."""

__version__ = "0.1.0"
