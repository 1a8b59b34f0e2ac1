"""Endpoints as the SDKs take them."""

from lms.core.messages.channels.endpoint import Endpoint


def test_scheme_and_host() -> None:
    assert Endpoint.of("https://dysmsapi.aliyuncs.com") == Endpoint("https", "dysmsapi.aliyuncs.com")
    assert Endpoint.of("http://127.0.0.1:8025/") == Endpoint("http", "127.0.0.1:8025")
