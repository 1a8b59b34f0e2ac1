"""An order is read back from its arguments, and none is made outside of its scope."""

from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from courses.models.exports import ExportKind, PersonalData
from courses.reports.exports import exports
from courses.reports.exports.exports import ExportHead
from courses.reports.exports.orders import ORDER_READERS, ExportOrder, PeopleExportOrder, ReportExportOrder
from courses.reports.exports.tables import ExportWording
from courses.reports.questions import Figure, Filters, Grouping, end_of_day
from lms.core.errors import NotFound
from lms.core.exports import Format
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.reports.asking import PRESENT, YEAR, in_district
from tests.courses.worlds import BEIJING, Plan, World
from tests.factories import Make

FILTERS = Filters(
    date(2025, 3, 1), date(2025, 3, 31), programme="RESCUE", district=6, course=7, host=9, organisation="小学",
    sector="school", refresher=False, known_before=end_of_day(date(2025, 4, 2), BEIJING), grouping=Grouping.HOST, key="12",
)  # fmt: skip
EVERY_ROW: dict[str, Any] = {"scope": EVERYTHING, "personal": PersonalData.MASKED}


@pytest.mark.parametrize(
    "order",
    [
        ReportExportOrder(kind=ExportKind.OFFERINGS, filters=FILTERS, figure=Figure.PASSED, **EVERY_ROW),
        ReportExportOrder(kind=ExportKind.PARTICIPATIONS, filters=YEAR, **EVERY_ROW),
        PeopleExportOrder(kind=ExportKind.ENROLMENTS, subject_id=3, **EVERY_ROW),
        PeopleExportOrder(kind=ExportKind.ATTENDANCES, subject_id=4, **EVERY_ROW),
    ],
)
def test_an_order_is_read_back(order: ExportOrder) -> None:
    assert ORDER_READERS[order.kind](order.kind, order.arguments, EVERYTHING, PersonalData.MASKED, BEIJING) == order


def test_an_order_outside_of_the_scope_is_not_found() -> None:
    with pytest.raises(NotFound):
        ReportExportOrder(kind=ExportKind.PEOPLE, filters=FILTERS, scope=in_district(1))


def test_rows_are_counted_before_they_are_read(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (5,), (PRESENT,), False, 1))
    for kind in (ExportKind.OFFERINGS, ExportKind.PARTICIPATIONS, ExportKind.PEOPLE):
        assert ReportExportOrder(kind=kind, filters=YEAR, scope=EVERYTHING).count_rows(db) == 1
        assert ReportExportOrder(kind=kind, filters=YEAR, scope=in_district(2)).count_rows(db) == 0


def test_a_worker_makes_a_coordinators_file_within_the_own_organisations(
    app: Flask, db: Session, connection: Connection, make: Make
) -> None:
    world = World(db)
    own = world.close(Plan(date(2025, 3, 1), (5,), (), False, 1))
    world.close(Plan(date(2025, 3, 1), (7,), (), False, 1)).organisation_id = make.organisation(1).id
    coordinator = make.user(Role.COORDINATOR, organisation_id=own.organisation_id)
    scope = Scope(organisation_ids=frozenset({own.organisation_id}), user_id=coordinator.id)
    order = ReportExportOrder(kind=ExportKind.OFFERINGS, filters=YEAR, scope=scope)
    head = ExportHead("培训班", [], [str(number) for number in range(20)], ExportWording())
    db.commit()
    owed = exports.begin(db, order, Format.CSV, head=head, rows=1)
    db.commit()
    assert exports.make(db, app.extensions["sessions"], lambda: nullcontext(connection), BEIJING, owed.id)
    db.refresh(owed)
    assert owed.rows == 1
