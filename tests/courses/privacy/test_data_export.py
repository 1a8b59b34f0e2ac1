"""The export of everything about a person."""

import io
import json
import zipfile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.proposals import Proposal
from courses.privacy import data_export, erasure
from lms.core import personal_data
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import Role
from tests.factories import Make

pytestmark = pytest.mark.usefixtures("app")


def test_it_has_every_registered_kind_and_nobody_else(db: Session, make: Make) -> None:
    offering = make.offering()
    trainee, companion = make.trainee("张三丰", guardian_name="王芳"), make.trainee("同班同学")
    for person in (trainee, companion):
        make.enrolment(offering, person)
    colleague = make.user(Role.COORDINATOR, name="工作人员")
    conflict = Proposal(trainee_id=trainee.id, reason="证件冲突", proposed_by=colleague.id, conflict=True)
    conflict.set_values({"name": "张三丰"}, {"name": "别的姓名"})
    db.add(conflict)
    db.flush()
    export = data_export.collect(db, trainee, reason=None)
    assert [part.kind.code for part in export.kinds] == [kind.code for kind in personal_data.registered()]
    with zipfile.ZipFile(io.BytesIO(data_export.zipped(export, "<html></html>"))) as archive:
        assert set(archive.namelist()) == {"data.json", "data.html"}
        content = archive.read("data.json").decode()
    rows = {part["kind"]: part["rows"] for part in json.loads(content)["data"]}
    assert rows["trainee"][0]["phone"] == trainee.phone
    assert rows["trainee"][0]["guardian_name"] == "王芳"
    assert len(rows["enrolment"]) == 1
    for other in ("同班同学", companion.phone or "", "别的姓名"):
        assert other not in content


def test_it_is_recorded_with_the_reason_and_ends_with_the_erasure(db: Session, make: Make) -> None:
    trainee = make.trainee("张三丰")
    data_export.collect(db, trainee, reason="张三丰书面申请")
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.export")).one()
    assert entry.reason == "张*丰书面申请"
    erasure.erase(db, trainee.id, reason="申请")
    with pytest.raises(DomainError):
        data_export.collect(db, trainee, reason=None)
