"""Redirects that stay on this site."""

from urllib.parse import urlsplit


def local_address(target: str | None, default: str) -> str:
    """`target` if it is a path on this site, else `default`.

    This prevents open redirects: "//example.com" is no path.
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if any(character.isspace() or not character.isprintable() for character in target):
        return default  # a line break would begin another header
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default
