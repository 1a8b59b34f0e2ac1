"""The holder's own name, where a certificate prints a writing of it.

The record's name when the writing was chosen is the holder's name by our records: verification accepts it beside the writing.
"""

from sqlalchemy import Select, select

from courses.models.name_writings import NameWriting
from lms.core.db import Base

_certificate, _writing = Base.metadata.tables["certificate"], NameWriting.__table__


def record_names() -> Select[str]:
    """The SELECT of the holder's own name by certificates that print a writing of it; the caller adds which certificate."""
    return (
        select(_writing.c.name)
        .join(_certificate, _certificate.c.enrolment_id == _writing.c.enrolment_id)
        .where(_writing.c.writing == _certificate.c.holder_name)
        .order_by(_writing.c.id.desc())
    )
