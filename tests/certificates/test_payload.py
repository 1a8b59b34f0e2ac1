"""The signed payload: round trips, refusals, and OpenSSL's opinion."""

import base64
import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certificates.keys.key_files import public_bytes
from certificates.payload import (
    DIGITS,
    EPOCH,
    Payload,
    decode,
    digits_of,
    encode,
    name_matches,
    name_tag,
    verify_signature,
)
from lms.config import ROOT
from lms.core.errors import DomainError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = public_bytes(KEY)
SAMPLE = Payload(1, 2, 6, 123, date(2026, 3, 5), date(2029, 3, 4), name_tag("张三", 123))
CODE = encode(SAMPLE, KEY.sign)
CODE_VERSION_1 = encode(replace(SAMPLE, version=1), KEY.sign)


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    issued = draw(st.integers(0, 65534))
    last = draw(st.none() | st.integers(issued, 65534))
    byte = st.integers(0, 255)
    return Payload(
        key_number=draw(byte),
        certificate_type=draw(byte),
        unit=draw(byte),
        serial=draw(st.integers(0, 2**32 - 1)),
        issued_on=EPOCH + timedelta(days=issued),
        valid_until=None if last is None else EPOCH + timedelta(days=last),
        name_tag=draw(st.binary(min_size=6, max_size=6)),
        version=draw(st.sampled_from([1, 2])),
    )


def refused(digits: str) -> bool:
    """Tell whether nobody would take this for a certificate: it cannot be read, or its signature is wrong."""
    try:
        decoded = decode(digits)
    except DomainError as error:
        return error.code == "payload_unreadable"
    return not verify_signature(decoded, PUBLIC)


@settings(deadline=None)
@given(payloads())
def test_round_trip(payload: Payload) -> None:
    digits = encode(payload, KEY.sign)
    assert len(digits) == DIGITS
    decoded = decode(digits)
    assert decoded.payload == payload
    assert verify_signature(decoded, PUBLIC)


def test_the_bytes_are_those_of_the_specification() -> None:
    assert len(CODE) == 198
    raw = int(CODE).to_bytes(82, "big")
    assert raw[:4] == bytes([0xB2, 1, 2, 6])
    assert raw[4:8] == (123).to_bytes(4, "big")
    assert raw[8:10] == (date(2026, 3, 5) - date(2020, 1, 1)).days.to_bytes(2, "big")
    assert raw[10:12] == (date(2029, 3, 4) - date(2020, 1, 1)).days.to_bytes(2, "big")
    assert raw[12:18] == SAMPLE.name_tag
    signed = b"BJRC-CERT-QR/1\0\0" + raw[:18]
    decoded = decode(CODE)
    assert decoded.signed == signed
    assert decoded.signature == raw[18:] == KEY.sign(signed)
    assert decoded.raw == raw
    assert digits_of(raw) == CODE
    assert decoded.digest == hashlib.sha256(raw).digest()


def test_no_expiry_is_written_as_65535() -> None:
    raw = int(encode(replace(SAMPLE, valid_until=None), KEY.sign)).to_bytes(82, "big")
    assert raw[10:12] == b"\xff\xff"


@settings(deadline=None)
@given(st.integers(0, DIGITS - 1), st.integers(1, 9))
def test_any_other_digit_is_refused(place: int, shift: int) -> None:
    wrong = str((int(CODE[place]) + shift) % 10)
    assert refused(CODE[:place] + wrong + CODE[place + 1 :])


@settings(deadline=None)
@given(st.integers(2**656, 10**DIGITS - 1))
@example(2**656)
@example(10**DIGITS - 1)
def test_a_number_of_more_than_82_bytes_cannot_be_read(number: int) -> None:
    with pytest.raises(DomainError) as caught:
        decode(str(number))
    assert caught.value.code == "payload_unreadable"


@pytest.mark.parametrize(
    "digits",
    [
        "",
        CODE[:-1],
        CODE + "0",
        " " + CODE[1:],
        "-" + CODE[1:],
        CODE[:99] + "_" + CODE[100:],
        "".join(chr(ord(digit) - ord("0") + ord("٠")) for digit in CODE),
        "0" * DIGITS,
        f"{int(CODE) ^ (1 << 648):0{DIGITS}d}",
    ],
)
def test_what_is_not_a_code_cannot_be_read(digits: str) -> None:
    with pytest.raises(DomainError) as caught:
        decode(digits)
    assert caught.value.code == "payload_unreadable"
    assert caught.value.message == "This is not the code of one of our certificates."


def test_another_key_does_not_verify() -> None:
    assert not verify_signature(decode(CODE), public_bytes(Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    "changes",
    [
        {"key_number": 256},
        {"unit": -1},
        {"serial": 2**32},
        {"issued_on": date(2019, 12, 31)},
        {"valid_until": date(2026, 3, 4)},
        {"valid_until": EPOCH + timedelta(days=65535)},
        {"name_tag": b"short"},
    ],
)
def test_a_payload_that_does_not_fit_is_not_written(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"fit|day|bytes"):
        encode(replace(SAMPLE, **changes), KEY.sign)  # type: ignore[arg-type]


def test_bytes_that_are_no_payload_are_not_written() -> None:
    with pytest.raises(ValueError, match="82 bytes"):
        digits_of(bytes(81))


def test_a_signature_of_another_kind_is_not_written() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        encode(SAMPLE, lambda signed: signed)


def test_the_name_tag_is_that_of_the_specification() -> None:
    salt = b"BJRC-NAME/1" + b"\x00\x00\x00\x7b"
    expected = hashlib.pbkdf2_hmac("sha256", "张三".encode(), salt, 20_000)[:6]
    assert name_tag(" 张\u3000三", 123) == expected
    assert name_tag("张三", 124) != expected


def test_a_code_of_version_1_is_verified_for_ever() -> None:
    """The code of SAMPLE as the first version wrote it. Its name is compared by the rules of both versions."""
    tag = hashlib.pbkdf2_hmac("sha256", "古丽‧买买提".encode(), b"BJRC-NAME/1\0\0\0\x7b", 20_000)[:6]
    body = bytes([0xB1, 1, 2, 6, 0, 0, 0, 123]) + (2255).to_bytes(2, "big") + b"\xff\xff" + tag
    signature = KEY.sign(b"BJRC-CERT-QR/1\0\0" + body)
    decoded = decode(digits_of(body + signature))
    assert decoded.payload == replace(SAMPLE, valid_until=None, name_tag=tag, version=1)
    assert verify_signature(decoded, PUBLIC)
    assert encode(decoded.payload, KEY.sign) == digits_of(body + signature)
    assert name_matches(decoded.payload, "古丽‧ 买买提")
    assert not name_matches(decoded.payload, "古丽·买买提")  # version 1 bound this dot
    plain = replace(decoded.payload, name_tag=name_tag("张三", 123, version=1))
    assert name_matches(plain, "张\u200b三")  # the newer rule sees the name that was signed
    assert not name_matches(plain, "张四")


def test_a_code_of_version_2_is_compared_as_one_sees_the_name() -> None:
    payload = replace(SAMPLE, name_tag=name_tag("古丽‧买买提", 123))
    for name in ("古丽·买买提", "古丽．买买提", "古丽 买买提", "古丽买买提\u200b"):
        assert name_matches(payload, name)
    assert not name_matches(payload, "古丽买买")


def test_the_version_is_signed() -> None:
    raw = int(CODE).to_bytes(82, "big")
    assert refused(digits_of(b"\xb1" + raw[1:]))


def test_the_scripts_are_held_to_codes_of_this_module() -> None:
    """tests/lms/static/offline_verification.test.js verifies the same codes by lms/static/offline_verification.js."""
    example = json.loads((ROOT / "tests/lms/static/certificate.json").read_text(encoding="utf-8"))
    assert example == {
        "digits": CODE,
        "digits_version_1": CODE_VERSION_1,
        "public_key": base64.urlsafe_b64encode(PUBLIC).decode().rstrip("="),
        "key_number": SAMPLE.key_number,
        "serial": SAMPLE.serial,
        "issued": str(SAMPLE.issued_on),
        "last": str(SAMPLE.valid_until),
        "name": "张三",
    }


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["张三", "张 三", "张三 "]), st.sampled_from(["李四", "张", "张三三", ""]))
def test_a_name_matches_only_itself(same: str, other: str) -> None:
    assert name_matches(SAMPLE, same)
    assert not name_matches(SAMPLE, other)


def test_openssl_agrees(tmp_path: Path) -> None:
    """A program that is not ours verifies the signature with the published key, and refuses a flipped bit."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "the openssl program is needed to check the signature independently"
    prefix = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of Ed25519, RFC 8410
    pem = base64.b64encode(prefix + PUBLIC).decode()
    (tmp_path / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n")
    raw = int(CODE).to_bytes(82, "big")
    (tmp_path / "signature").write_bytes(raw[18:])

    def verified(body: bytes) -> bool:
        (tmp_path / "signed").write_bytes(b"BJRC-CERT-QR/1\0\0" + body)
        command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
        command += ["-in", "signed", "-sigfile", "signature"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0

    assert verified(raw[:18])
    assert not verified(raw[:17] + bytes([raw[17] ^ 1]))
