"""Redirects that stay on this site."""

import pytest

from lms.core.redirects import local_address


@pytest.mark.parametrize("target", ["/", "/users/?page=2", "/v/1#top"])
def test_a_path_is_kept(target: str) -> None:
    assert local_address(target, "/home") == target


@pytest.mark.parametrize(
    "target", [None, "", "users", "//example.com", "/\\example.com", "https://example.com", "javascript:alert(1)"]
)
def test_anything_else_gives_the_default(target: str | None) -> None:
    assert local_address(target, "/home") == "/home"
