"""Names: the normalised form by which two names are compared, on certificates, on rosters and at registration."""

import re
import unicodedata

# Spaces are Unicode's space separators and the ASCII blanks, written out because `\s` means something else in JavaScript,
# where lms/static/names.js computes the same form. Both are held to the examples of tests/lms/core/names.json.
_IGNORED = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000·•・]+")


def norm(name: str) -> str:
    """The name as it is compared: NFKC, without spaces and dots, in upper case."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", name)).upper()


def by_sound(name: str) -> bytes:
    """A key that sorts common Chinese names by their pinyin: the order of GB 2312's first level, as phone books use it."""
    return name.encode("gb18030", "replace")
