"""Search on a device that keeps nobody's name: hashes of what finds a person, made with a key that only this device has.

A person is found by the whole name, by its initials and by the last four digits of the phone. The hash is an HMAC, so that
without the key nobody learns a phone's end by trying all ten thousand. The key follows from the field key and the device,
so it is stored nowhere here; the device holds it as a CryptoKey that no script can read. Parts of names are not hashed: a
given name that many share could be guessed from how often its hash occurs.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from lms.core import crypto
from lms.core.name_order import initials
from lms.core.names import norm

# With 40 bits, a search among 300 people of three hashes each finds somebody by chance once in 10^9 times.
HASH_BYTES = 5
TAIL_DIGITS = 4
ID_BYTES = 4


@dataclass(frozen=True, repr=False)
class SearchKey:
    """The key of one device."""

    value: bytes

    @classmethod
    def of_device(cls, device_id: int) -> "SearchKey":
        """The key of a paired device; it changes with the field key, and then its `id` does."""
        return cls(crypto.cipher().device_key(device_id))

    @property
    def id(self) -> str:
        """The name of the key, which tells nothing of it: a roster says by it which key its hashes are made with."""
        return self._digest("id/").hex()[: 2 * ID_BYTES]

    def as_json(self) -> dict[str, str]:
        """The key as it is handed to the device."""
        return {"id": self.id, "value": base64.b64encode(self.value).decode()}

    def hashes(self, name: str, phone: str | None) -> list[str]:
        """The hashes that find a person, in an order that tells nothing; as many as there are different ones."""
        return sorted({self.hash(form) for form in forms(name, phone)})

    def hash(self, form: str) -> str:
        """The hash of a name or a text in the form that is compared (`lms.core.names.norm`)."""
        return self._digest(form).hex()[: 2 * HASH_BYTES]

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self.value, text.encode(), hashlib.sha256)


def forms(name: str, phone: str | None) -> set[str]:
    """The texts that find a person, in the form that is compared: the name, its initials, and the last four digits of the phone."""
    return {form for form in (norm(name), initials(name), (phone or "")[-TAIL_DIGITS:]) if form}
