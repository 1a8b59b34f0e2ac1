"""Rows of every kind that holds something sealed or hashed, made as the system makes them, and all that was sealed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.keys.qr_keys import PublicKeyCache
from certificates.number import NumberScheme
from certificates.verification import list_checks
from certificates.verification.bulk import BulkItem
from certificates.verification.list_files import ListFile
from courses.attendance.self_check_in import code_display
from courses.enrolment import consents, mail, proposals, sheet_import
from courses.enrolment.consents import Guardian, Relation
from courses.enrolment.trainees import TraineeFacts, facts_of
from courses.models.enrolment import Enrolment, EnrolmentImport
from courses.models.exports import CHUNK_COLUMN, Export, ExportChunk, ExportKind, PersonalData
from courses.models.imports import ImportRun
from courses.models.merges import TraineeMerge
from courses.models.offerings import CourseSession
from courses.models.privacy import ConsentWay
from courses.models.trainees import IdType, Trainee
from courses.models.walk_ins import WalkInPerson
from instructors import invitations
from instructors.models import Instructor
from lms.accounts import (
    browser_sessions,
    contact_checks,
    devices,
    known_browsers,
    password_links,
    password_requests,
    recovery_codes,
    totp,
    user_contacts,
)
from lms.accounts.models import User
from lms.config import Settings
from lms.core import audit, clock, crypto
from lms.core.contacts import ContactKind
from lms.core.crypto import FieldCipher
from lms.core.exports import Format
from lms.core.messages.models import Message
from lms.core.messages.owing import EARLIER, EARLIER_COLUMN
from lms.core.scope import Role
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld
from tests.factories import Make

ID_NUMBER, OTHER_ID_NUMBER, LEGACY_ID_NUMBER = "11010519491231002X", "110101199003071233", "11010119900307109X"
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_DIGITS = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx]")
_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")


@dataclass
class World:
    """The rows by which tests look the sealed values up, and every secret that the system has known in clear."""

    user: User
    instructor: Instructor
    trainee: Trainee
    enrolment: Enrolment
    meeting: CourseSession
    walk_in: WalkInPerson
    export: Export
    checked_run: int
    past: PastWorld
    past_run: int
    recovery_codes: list[str]
    check_ref: str
    secrets: set[str] = field(default_factory=set)


@contextmanager
def secrets_noted(secrets: set[str]) -> Iterator[None]:
    """Note each token that is made, and the contacts, numbers, links and codes in all that is sealed."""
    seal, token, code = FieldCipher.seal, crypto.token, FieldCipher.blind_indexes

    def noted_seal(cipher: FieldCipher, column: str, row: UUID | str, content: bytes) -> bytes:
        if column not in {CHUNK_COLUMN, "import_piece.content"}:
            secrets.update(_secrets_in(content.decode()))
        return seal(cipher, column, row, content)

    def noted_token() -> str:
        made = token()
        secrets.add(made)
        return made

    def noted_code(cipher: FieldCipher, column: str, value: str) -> list[bytes]:
        if column == "contact_check.code":
            secrets.add(value.rpartition("\0")[2])
        return code(cipher, column, value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FieldCipher, "seal", noted_seal)
        patch.setattr(crypto, "token", noted_token)
        patch.setattr(FieldCipher, "blind_indexes", noted_code)
        yield


def _secrets_in(text: str) -> Iterator[str]:
    for pattern in (_ADDRESS, _DIGITS, _TOKEN):
        yield from pattern.findall(text)
    if not text.startswith(("{", "[")):
        yield text.removeprefix("+86")


def build(db: Session, settings: Settings) -> World:
    """Make the rows and commit them."""
    secrets: set[str] = set()
    with secrets_noted(secrets):
        world = _build(db, Make(db), settings)
        db.commit()
    codes = world.recovery_codes
    world.secrets = secrets | set(codes) | {code.replace("-", "") for code in codes}
    # Addresses of pages that answer their owner's session alone.
    for model in (Export, ImportRun, EnrolmentImport):
        world.secrets -= set(db.scalars(select(model.ref)))
    return world


def _build(db: Session, make: Make, settings: Settings) -> World:
    site = password_links.site_of(settings)
    user = make.user(Role.CITY_ADMINISTRATOR, name="王市管", email="Wang.City@example.org", phone=make.phone())
    audit.act_as(db, user.id)
    totp.set_up(db, user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", 0)
    codes = recovery_codes.make(db, user)
    check = contact_checks.start(
        db, user_contacts.OWN, f"user:{user.id}", ContactKind.EMAIL, "Fresh@example.org", language="zh"
    )
    password_requests.store(db, "asked@example.org")
    password_links.make(db, user, site, lives=timedelta(hours=1), proves=ContactKind.EMAIL)
    devices.pair(db, user, "手机")
    known_browsers.recognise(db, user, None, "Firefox")
    browser_sessions.start(db, user, days=1, browser="Firefox")
    instructor = make.instructor(user=None, name="赵师资")
    instructor.phone, instructor.email = make.phone(), "zhao@example.org"
    db.flush()
    invitations.hand_over(db, instructor, site)
    offering = make.offering(starts=[clock.now() - timedelta(hours=1)])
    meeting = offering.sessions[0]
    trainee = make.trainee("张三丰", email="zhang@example.org", guardian_name="张父", guardian_phone=make.phone())
    trainee.set_id_number(IdType.RESIDENT, ID_NUMBER)
    consents.give(db, trainee, ConsentWay.DESK, guardian=Guardian("张父", Relation.FATHER))
    enrolment = make.enrolment(offering, trainee, phone=make.phone(), email="given@example.org")
    make.training_request()
    mail.send_confirmation(db, enrolment)
    ref = uuid4()
    clear = json.dumps({"to": "earlier@example.org", "subject": "S", "text": "T"})
    sealed = crypto.cipher().encrypt(EARLIER_COLUMN, ref, clear)
    db.add(Message(ref=ref, purpose=EARLIER.code, language="zh", content=sealed, channel="email"))
    people = f"姓名,手机,邮箱,身份证号\n李四,13911112222,list@example.org,{OTHER_ID_NUMBER}\n"
    sheet_import.receive(db, offering, user.id, "名单.csv", people.encode(), today=clock.branch_today())
    walk_in = WalkInPerson(id=uuid4(), course_session_id=meeting.id, name="路人")
    walk_in.phone = make.phone()
    db.add(walk_in)
    consents.give(db, trainee, ConsentWay.TICKET, guardian=Guardian("王芳", Relation.MOTHER))
    proposals.propose(db, trainee, TraineeFacts(**{**_given(trainee), "email": "proposed@example.org"}), "本人换了邮箱")
    code_display.show(db, meeting, now=clock.now())
    merge = TraineeMerge(kept_id=trainee.id, merged_id=make.trainee().id)
    merge.set_former({"kept": {"phone": make.phone(), "email": "merged@example.org"}})
    db.add(merge)
    export = Export(
        user_id=user.id, kind=ExportKind.PEOPLE, format=Format.CSV, personal=PersonalData.FULL, question={}, head={},
        rows=1, expires_at=clock.now() + timedelta(days=1),
    )  # fmt: skip
    db.add(export)
    db.flush()
    data = "张三丰,13766665555\n".encode()
    data = crypto.cipher().seal(CHUNK_COLUMN, ExportChunk.binding(export.ref, 0), data)
    db.add(ExportChunk(export_id=export.id, number=0, data=data))
    audit.record(
        db, "user.change", user, before={"email": "Old@example.org"}, after={"deep": [{"x": "13544443333 还有 a@b.org"}]},
        reason=f"本人来电13544443333，证件{ID_NUMBER}，邮箱caller@example.org",
    )  # fmt: skip
    row = {
        "registration_number": "SZ-77", "name": "钱进", "district": "东城区", "level": "中级", "phone": "13811110001",
        "programme": "救护员培训", "valid_from": "2024-01-01", "valid_until": "2099-12-31",
    }  # fmt: skip
    checked = Importer(db, settings, "instructors").checked([row])
    legacy = Importer(db, settings, "legacy_certificates")
    legacy.done([
        {
            "number": "京红救(2015)第00123号", "name": "张三丰", "id_type": "身份证", "id_number": LEGACY_ID_NUMBER,
            "programme": "救护员培训", "course": "救护员证", "issued_on": "2015-06-01", "valid_until": "2099/6/1",
            "unit": "红十字会", "phone": "13811110009",
        }
    ])  # fmt: skip
    past = PastWorld(db, make, settings)
    past_run = past.checked([
        past.row(name="孙一", phone="13811110002"),
        past.row(name="孙二", phone="13811110003", id_type="身份证", id_number="110101199001011237"),
        past.row(name="张三丰", phone=(trainee.phone or "").removeprefix("+86")),
    ])  # fmt: skip
    list_check = list_checks.begin(db, ListFile([BulkItem("BJ-FR-2026-0000123-C", "孙三", 2)], ["证书编号", "姓名"]))
    list_checks.work(db, today=clock.branch_today(), keys=PublicKeyCache(), scheme=NumberScheme("BJ"))
    assert list_checks.progress(db, list_check).is_finished
    return World(
        user, instructor, trainee, enrolment, meeting, walk_in, export, checked.id, past, past_run.id, codes,
        contact_checks.ref_of(check),
    )  # fmt: skip


def _given(trainee: Trainee) -> dict[str, Any]:
    facts = facts_of(trainee)
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}
