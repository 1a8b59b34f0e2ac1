"""The validity of a renewed certificate: renewed early, it begins where the old one ends, so that nobody loses days.

It does so where the branch has set it (`RENEWAL_BEGINS`). The signed code holds the issue day and the last valid day, so
the certificate is valid from its issue on, together with what remains of the old one. No more than one whole period of
validity is added so, however often somebody renews in a row: 36 months end at most 72 months after the issue.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from certificates import held
from certificates.branch import Branch
from courses.models.trainees import Trainee
from lms.core import calendar_months


def beginnings(db: Session, owed: Sequence[Row[Any]], day: date, branch: Branch) -> dict[int, date]:
    """Return, by enrolment, the day after the old certificate's last valid day, where a refresher renews it early.

    owed: rows with `enrolment_id`, `trainee_id`, `certificate_type`, `validity_months` and `refresher`. day: the issue day.
    Two statements where there are refreshers, else none. The holders are locked first, in the order of `renewal.renew`, so
    that no other worker renews their certificates at the same time.
    """
    renewing = [row for row in owed if row.refresher]
    if not renewing or not branch.renewal_at_old_end:
        return {}
    holders = sorted({row.trainee_id for row in renewing})
    db.execute(select(Trainee.id).where(Trainee.id.in_(holders)).order_by(Trainee.id).with_for_update(key_share=True))
    held_by = held.of_people(db, holders, {row.certificate_type for row in renewing}, on=day)
    ends = {
        (trainee_id, certificate.certificate_type): certificate.valid_until
        for trainee_id, certificates in held_by.items()
        for certificate in certificates
    }
    begins = {}
    for row in renewing:
        end = ends.get((row.trainee_id, row.certificate_type))
        if end is not None and end >= day and row.validity_months is not None:
            latest = calendar_months.last_day(day, row.validity_months)
            begins[row.enrolment_id] = min(end, latest) + timedelta(days=1)
    return begins
