"""Pages that are rendered once, with placeholders, and filled with escaped values for each request.

This is for the few pages of the fast path: rendering the template of the verification page took longer than all the
rest of its response.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from markupsafe import escape

# Letters and digits alone, which neither HTML nor an address escapes, in an order that no page contains by chance.
_PLACEHOLDER = "0stencil0mark"


class PrerenderedPage:
    """A page with a placeholder for each name.

    For example `PrerenderedPage(["number"], render).fill({"number": "12"})`.
    """

    def __init__(self, names: Sequence[str], render: Callable[[Mapping[str, str]], str]) -> None:
        """Call `render` once, with a placeholder as the value of each name; `render` gives HTML."""
        html = render({name: f"{_PLACEHOLDER}{place:03d}" for place, name in enumerate(names)})
        pieces = re.split(rf"{_PLACEHOLDER}(\d{{3}})", html)
        self._texts = [text.encode() for text in pieces[::2]]
        self._names = [names[int(place)] for place in pieces[1::2]]

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The page with these values escaped, in UTF-8. Raises KeyError for a name that is missing."""
        parts = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            parts.append(escape(values[name]).encode())
            parts.append(text)
        return b"".join(parts)
