"""The address of a gateway: scheme and host, which the SDKs take apart."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Endpoint:
    """An endpoint. host: with the port where the address has one."""

    scheme: str
    host: str

    @classmethod
    def of(cls, url: str) -> "Endpoint":
        """The endpoint of an address such as https://sms.tencentcloudapi.com or http://127.0.0.1:8025."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.netloc)
