"""Labels of enrolments and trainees: states, sources and ID types, as pages name them."""

from flask_babel import lazy_gettext as _l

from courses.enrolment.disclosures import REASON_LABELS
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.proposals import ProposalState
from courses.models.trainees import IdType
from lms.core.errors import N_

# State → its label (a msgid) and the colour of its badge.
STATES = {
    EnrolmentState.ENROLLED: (N_("Place confirmed"), "primary"),
    EnrolmentState.WAITLISTED: (N_("On the waiting list"), "warning"),
    EnrolmentState.CANCELLED: (N_("Cancelled"), "secondary"),
    EnrolmentState.COMPLETED: (N_("Completed"), "success"),
    EnrolmentState.FAILED: (N_("Not passed"), "danger"),
    EnrolmentState.INCOMPLETE: (N_("Incomplete"), "secondary"),
}
OFFERED = (N_("A place is offered"), "info")
SOURCES = {
    EnrolmentSource.SELF: N_("Self-enrolment"),
    EnrolmentSource.STAFF: N_("By staff"),
    EnrolmentSource.IMPORT: N_("From a spreadsheet"),
    EnrolmentSource.WALK_IN: N_("Walk-in"),
}
ID_TYPES = {
    IdType.RESIDENT: _l("Resident ID card"),
    IdType.PASSPORT: _l("Passport"),
    IdType.HK_MACAU_PERMIT: _l("Hong Kong or Macau permit"),
    IdType.TAIWAN_PERMIT: _l("Taiwan permit"),
    IdType.FOREIGN_PERMANENT: _l("Foreign permanent resident card"),
}


def state_of(enrolment: Enrolment) -> tuple[str, str]:
    """The label (a msgid) and the colour of the state of an enrolment, an offered place included."""
    return OFFERED if enrolment.is_offered else STATES[enrolment.state]


READ_REASONS = {reason: _l(label) for reason, label in REASON_LABELS.items()}
# State of a proposal → its label (a msgid) and the colour of its badge.
PROPOSAL_STATES = {
    ProposalState.OPEN: (N_("Not decided"), "warning"),
    ProposalState.ACCEPTED: (N_("Change made"), "success"),
    ProposalState.REFUSED: (N_("Change refused"), "danger"),
    ProposalState.WITHDRAWN: (N_("Proposal withdrawn"), "secondary"),
}
