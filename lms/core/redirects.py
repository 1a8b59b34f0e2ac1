"""Redirects that stay on this site."""

from urllib.parse import urlsplit


def local_address(target: str | None, default: str) -> str:
    """`target` if it is a path on this site, else `default`.

    This prevents open redirects: "//example.com" is no path.
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default
