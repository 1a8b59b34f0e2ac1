"""Reading through a merge: whatever finds a merged record leads to the one that was kept."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import merged_records
from courses.models.trainees import Trainee
from tests.factories import Make


def test_a_merged_record_leads_to_the_kept_one(db: Session, make: Make) -> None:
    kept, other = make.trainee("张三"), make.trainee("李四")
    merged = make.trainee("张叁", merged_into_id=kept.id)
    assert merged_records.kept_id(db, merged.id) == kept.id
    assert merged_records.kept_id(db, kept.id) is None
    assert merged_records.ids_of(db, kept.id) == [kept.id, merged.id]
    assert merged_records.records_of(db, [merged.id, kept.id]) == [merged, kept]
    current = merged_records.resolver(db, [merged, other])
    assert (current(merged), current(other)) == (kept, other)
    former = merged_records.found_by_former(Trainee.name == "张叁")
    assert db.scalars(select(Trainee.id).where(former)).all() == [kept.id]
