"""The personal fields of a trainee's row, sealed and indexed on the way from one COPY to the other."""

from collections.abc import Callable

from courses.models.trainees import GUARDIAN_PHONE_COLUMN, ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core.crypto import FieldCipher
from lms.demo.people import ID_CHECKS, ID_WEIGHTS

# What is written: the open fields as they come, then what is made of a phone, a guardian's phone and an ID number.
COLUMNS = (
    "id", "ref", "district_id", "name", "name_key", "birth_year", "created_at", "guardian_name", "phone_sealed",
    "phone_index", "guardian_phone_sealed", "id_type", "id_number_sealed", "id_number_index",
)  # fmt: skip
_NONE = rb"\N"


def sealing(cipher: FieldCipher) -> Callable[[bytes], bytes]:
    """A change of one line of COPY's text: its last three fields come in clear and go out sealed."""

    def hexed(value: bytes) -> bytes:
        return b"\\\\x" + value.hex().encode()

    def change(copy_line: bytes) -> bytes:
        fields = copy_line[:-1].split(b"\t")
        row = fields[1].decode()
        phone, guardian, body = fields[8:]
        sealed = [_NONE] * 6
        if phone != _NONE:
            number = phone.decode()
            sealed[0] = hexed(cipher.encrypt(PHONE_COLUMN, row, number))
            sealed[1] = hexed(cipher.blind_index(PHONE_COLUMN, number))
        if guardian != _NONE:
            sealed[2] = hexed(cipher.encrypt(GUARDIAN_PHONE_COLUMN, row, guardian.decode()))
        if body != _NONE:
            number = body.decode()
            number += ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=True)) % 11]
            sealed[3:] = [
                b"resident",
                hexed(cipher.encrypt(ID_NUMBER_COLUMN, row, number)),
                hexed(cipher.blind_index(ID_NUMBER_COLUMN, number)),
            ]
        return b"\t".join((*fields[:8], *sealed)) + b"\n"

    return change
