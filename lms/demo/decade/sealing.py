"""Personal fields of trainees and tickets of enrolments, sealed on the way from one COPY to the other."""

from collections.abc import Callable

from courses.models.enrolment import ticket_sealer
from courses.models.trainees import GUARDIAN_PHONE_COLUMN, ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core.crypto import FieldCipher
from lms.core.name_order import by_sound
from lms.demo.people import ID_CHECKS, ID_WEIGHTS

# What is written: the open fields as they come, then what is made of a phone, a guardian's phone and an ID number.
COLUMNS = (
    "id", "ref", "district_id", "name", "name_key", "birth_year", "created_at", "guardian_name", "phone_sealed",
    "phone_index", "guardian_phone_sealed", "id_type", "id_number_sealed", "id_number_index",
    "name_sound",
)  # fmt: skip
ENROLMENT_COLUMNS = (
    "id", "offering_id", "trainee_id", "ticket_hash", "ticket_sealed", "state", "source", "created_at", "cancelled_at",
    "sessions_attended", "minutes_attended", "shortfalls", "certificate_due", "certified_at",
)  # fmt: skip
INSTRUCTOR_COLUMNS = ("id", "ref", "name", "registration_number", "district_id", "level", "active", "name_sound")
_NONE = rb"\N"


def sealing_tickets(cipher: FieldCipher) -> Callable[[bytes], bytes]:
    """A change of one line of COPY's text: its fourth field comes as a ticket and goes out as its hash and sealed."""
    sealed = ticket_sealer(cipher)

    def change(copy_line: bytes) -> bytes:
        number, offering, trainee, ticket, others = copy_line.split(b"\t", 4)
        ticket_hash, ticket_sealed = sealed(ticket)
        return b"\t".join((number, offering, trainee, hexed(ticket_hash), hexed(ticket_sealed), others))

    return change


def sounding(copy_line: bytes) -> bytes:
    """Add the key that sorts the name, the third field, to a line of COPY's text of an instructor."""
    return copy_line[:-1] + b"\t" + by_sound(copy_line.split(b"\t", 3)[2].decode()).encode() + b"\n"


def hexed(value: bytes) -> bytes:
    """Bytes in COPY's text."""
    return b"\\\\x" + value.hex().encode()


def sealing(cipher: FieldCipher) -> Callable[[bytes], bytes]:
    """A change of one line of COPY's text: its last three fields come in clear and go out sealed."""

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
        return b"\t".join((*fields[:8], *sealed, by_sound(fields[3].decode()).encode())) + b"\n"

    return change
