"""The columns of courses that refer to a person's record, and what a merge does to them."""

from courses.merging import enrolments, references
from courses.merging.references import Reference
from courses.models.merges import TraineeMerge, TraineePair
from courses.models.privacy import Consent, ErasureRequest
from courses.models.proposals import Proposal
from courses.models.trainees import Trainee
from lms.core.errors import N_

for model, label in (
    (Consent, N_("Consents")),
    (Proposal, N_("Proposed changes")),
    (ErasureRequest, N_("Requests for erasure")),
):
    references.register(Reference(model.__table__.c.trainee_id, label))
references.leave(enrolments.TABLE, "moved by courses.merging.enrolments: a person has one place in an offering")
references.leave(f"{Trainee.__tablename__}.merged_into_id", "this is the merge; a merged record is merged no further")
for column in ("kept_id", "merged_id"):
    references.leave(f"{TraineeMerge.__tablename__}.{column}", "tells of a merge, which a later one does not change")
for column in ("first_id", "second_id"):
    references.leave(f"{TraineePair.__tablename__}.{column}", "merging.merge forgets the pairs of the merged record")
