"""Progress of issuing for an offering: the three groups of trainees, and when the worker is late."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from certificates import issuing_progress
from certificates.issuing_progress import WORKER_DELAY
from certificates.models import Certificate
from certificates.states import State
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make


def test_trainees_are_issued_waiting_or_refused_with_their_shortfalls(
    db: Session, make: Make, issue: Callable[..., Certificate]
) -> None:
    offering = closed_offering(make)
    certificate = issue("张三丰", offering=offering)
    owe(make, offering, "李四")
    make.enrolment(offering, make.trainee("王五"), EnrolmentState.INCOMPLETE, shortfalls=["attendance"])
    make.enrolment(offering, make.trainee("赵六"), EnrolmentState.CANCELLED)
    db.flush()
    today = certificate.issued_on
    progress = issuing_progress.of_offering(db, offering, today=today)
    assert [(row.trainee, row.certificate_id, row.state) for row in progress.issued] == [
        ("张三丰", certificate.id, State.VALID)
    ]
    assert [row.trainee for row in progress.waiting] == ["李四"]
    assert [(row.trainee, row.shortfalls) for row in progress.refused] == [("王五", ("attendance",))]
    assert (progress.closed, progress.owed, progress.late) == (True, 2, False)


def test_the_worker_is_late_only_while_certificates_wait(db: Session, make: Make) -> None:
    offering = closed_offering(make)
    owed = owe(make, offering)
    assert offering.closed_at is not None

    def late() -> bool:
        db.flush()
        return issuing_progress.of_offering(db, offering, today=clock.branch_today()).late

    with clock.at(offering.closed_at + WORKER_DELAY):
        assert not late()
    with clock.at(offering.closed_at + WORKER_DELAY * 2):
        assert late()
        owed.certified_at = clock.now()
        assert not late()


def test_who_waits_for_a_decision_is_apart_and_makes_the_worker_not_late(
    db: Session, make: Make, issue: Callable[..., Certificate]
) -> None:
    offering = closed_offering(make)
    waiting = owe(make, offering, "王\ue5e5")
    issue("张三丰", offering=offering)
    assert offering.closed_at is not None
    with clock.at(offering.closed_at + WORKER_DELAY * 2):
        progress = issuing_progress.of_offering(db, offering, today=clock.branch_today())
    assert [(row.enrolment_id, row.trainee, row.lacking) for row in progress.undecided] == [
        (waiting.id, "王\ue5e5", {"holder": ["\ue5e5"]})
    ]
    assert (len(progress.issued), progress.waiting, progress.owed, progress.late) == (1, (), 2, False)
