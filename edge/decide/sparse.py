"""A sparse matrix by rows: all that occupancy needs of linear algebra."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Row = tuple[NDArray[np.int64], NDArray[np.float64]]  # columns, and the weight of each


class SparseMatrix:
    """A matrix whose product with a vector touches only what is not zero."""

    def __init__(self, rows: Iterable[Row]) -> None:
        # `reduceat` has no empty sums, so every row begins with nothing of column 0.
        listed = [(np.append(0, columns), np.append(0.0, weights)) for columns, weights in rows]
        self._columns = np.concatenate([columns for columns, _ in listed]).astype(np.intp)
        self._weights = np.concatenate([weights for _, weights in listed]).astype(np.float32)
        self._starts = np.cumsum([0] + [len(columns) for columns, _ in listed[:-1]])

    def __matmul__(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The product with a vector, or with each of some (n, vector)."""
        products = vector.take(self._columns, axis=-1)
        products *= self._weights
        return np.asarray(np.add.reduceat(products, self._starts, axis=-1), np.float32)

    def squared(self) -> "SparseMatrix":
        """The matrix of squared weights, which carries variances."""
        other = object.__new__(SparseMatrix)
        other._columns, other._starts = self._columns, self._starts
        other._weights = self._weights**2
        return other
