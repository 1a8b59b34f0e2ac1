"""Proof that somebody holds a certificate: the holder's full name, or the last 6 characters of the holder's ID number.

The look-ups by certificate number ask for this proof, of certificates with a signed code and of legacy certificates alike.
Strangers use these look-ups, so a number that does not exist must cost the same work and time as a proof that is wrong.
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from lms.core import crypto
from lms.core.names import norm

ID_TAIL_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who holds a certificate. `ref` and `id_number_sealed` belong to one row: the cipher binds them.

    own_name: the name of the record, where the certificate prints a writing of it.
    """

    name: str
    ref: UUID
    id_number_sealed: bytes | None
    own_name: str | None = None


def id_tail(text: str) -> str | None:
    """Return the last 6 characters of an ID number, in upper case, if `text` is such an ending; else None.

    An ending has six letters and digits, with a digit among them: "31002x" and "３１００２Ｘ" give "31002X", "ZHANG3" counts
    as an ending too, and "张三丰" does not.
    """
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return plain if re.fullmatch(r"(?=.*[0-9])[0-9A-Z]{6}", plain) else None


def proves(proof: str, holder: Holder | None, *, id_number_column: str) -> bool:
    """Tell whether `proof` names this holder; always False where there is no holder, after the same work.

    id_number_column: the column name under which the cipher sealed the ID number.
    """
    tail = id_tail(proof)
    if tail is not None:
        return _tail_matches(tail, holder, id_number_column)
    return _name_matches(proof, holder)


def _name_matches(name: str, holder: Holder | None) -> bool:
    """Compare names. Without a holder the comparison runs against a stand-in, so that it takes as long."""
    printed = holder.name if holder is not None else "无名氏"
    own = (holder.own_name if holder is not None else None) or printed
    compared = norm(name).encode()
    equal = [hmac.compare_digest(norm(text).encode(), compared) for text in (printed, own)]
    return any(equal) and holder is not None


def _tail_matches(tail: str, holder: Holder | None, column: str) -> bool:
    """Compare the ends of ID numbers. One number is decrypted in every case, a stand-in where there is none.

    The number is compared and shown to nobody, so this is not a reading that the audit trail records.
    """
    if holder is not None and holder.id_number_sealed is not None:
        number = crypto.cipher().decrypt(column, holder.ref, holder.id_number_sealed)
        is_known = True
    else:
        number = crypto.cipher().decrypt(column, *_stand_in(column))
        is_known = False
    return hmac.compare_digest(number[-ID_TAIL_LENGTH:].upper().encode(), tail.encode()) and is_known


@lru_cache(maxsize=2)
def _stand_in(column: str) -> tuple[UUID, bytes]:
    ref = UUID(int=0)
    return ref, crypto.cipher().encrypt(column, ref, "000000000000000000")
