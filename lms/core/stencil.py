"""A page that is rendered once, with marks where values belong, and filled in many times.

For the few pages that a crowd asks for at once: rendering the verification page took longer than all else in its answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from markupsafe import escape

# Letters and digits alone, which neither HTML nor an address changes; nobody would write it in a page.
_MARK = "0stencil0mark"


class Stencil:
    """`render` is called once, with a mark for each name, and gives HTML; `fill` puts escaped values in their places."""

    def __init__(self, names: Sequence[str], render: Callable[[Mapping[str, str]], str]) -> None:
        html = render({name: f"{_MARK}{place:03d}" for place, name in enumerate(names)})
        pieces = re.split(rf"{_MARK}(\d{{3}})", html)
        self._texts = [text.encode() for text in pieces[::2]]
        self._names = [names[int(place)] for place in pieces[1::2]]

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The page with these values, in UTF-8. Raises KeyError for a name that is missing."""
        made = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            made.append(escape(values[name]).encode())
            made.append(text)
        return b"".join(made)
