"""Merged cells of a sheet: a cell over several rows holds its text in the first of them, and a person sees it in all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lms.core.sheet_cells import broken, too_long

RANGES = 200_000
_RANGE = re.compile(
    rb"<(?:[A-Za-z0-9]{1,20}:)?mergeCell\s[^<>]{0,40}?ref\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_MAY_HOLD = b"mergeCell"
_LONGEST = 200  # bytes of an element that says a range


@dataclass(slots=True)
class MergedCells:
    """The ranges of a sheet over more than one row: by the first row, pairs of the column from 0 and the last row."""

    ranges: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _open: dict[int, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of_sheet(cls, pieces: Iterable[bytes]) -> "MergedCells":
        """Find the ranges in a sheet's XML, where they stand behind the rows. Raises DomainError."""
        merged, rest, number = cls(), b"", 0
        for piece in pieces:
            text = rest + piece
            if _MAY_HOLD in text:
                end = 0
                for match in _RANGE.finditer(text):
                    end = match.end()
                    number += 1
                    merged._add(match[1], int(match[2]), int(match[4]))
                if number > RANGES:
                    raise too_long()
                text = text[end:]
            rest = text[-_LONGEST:]
        return merged

    def _add(self, letters: bytes, first: int, last: int) -> None:
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        if last < first:
            raise broken()
        if last > first:
            self.ranges.setdefault(first, []).append((column - 1, last))

    def fill(self, number: int, texts: dict[int, str]) -> None:
        """Write the texts of ranges that reach over a row into its cells. The rows are given in their order.

        A row that holds nothing else is not given, and stays empty: a remark that is merged over ten rows is one remark.
        """
        if not self.ranges:
            return
        for column, (last, text) in list(self._open.items()):
            if number > last:
                del self._open[column]
            else:
                texts[column] = text  # what the cell itself holds is covered
        for column, last in self.ranges.get(number, ()):
            if column in texts:
                self._open[column] = (last, texts[column])
