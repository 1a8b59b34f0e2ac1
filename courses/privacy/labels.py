"""Labels of personal data: whose it is, the legal bases, the receivers, and the names of fields in an export."""

from courses.enrolment.consents import Relation
from courses.models.privacy import ConsentGiver, ConsentWay, ErasureState
from lms.core.errors import N_
from lms.core.personal_data import Basis, Receiver, Whose

WHOSE = {
    Whose.TRAINEE: N_("Trainees"),
    Whose.USER: N_("Users"),
    Whose.INSTRUCTOR: N_("Instructors"),
    Whose.GUARDIAN: N_("Guardians"),
    Whose.WALK_IN: N_("People at the door"),
    Whose.CONTACT_PERSON: N_("Contact persons of organisations"),
}
BASES = {
    Basis.CONSENT: N_("Consent of the person (PIPL art. 13, 1)"),
    Basis.CONTRACT: N_("Needed for the training that the person asked for (PIPL art. 13, 2)"),
    Basis.LEGAL_DUTY: N_("Duty by law (PIPL art. 13, 3)"),
    Basis.PUBLIC_HEALTH: N_("Public health emergency (PIPL art. 13, 4)"),
}
RECEIVERS = {
    Receiver.SMS_GATEWAY: N_("SMS gateway"),
    Receiver.MAIL_PROVIDER: N_("Mail provider"),
    Receiver.HOST: N_("Host organisation of the training"),
    Receiver.ANYBODY_WITH_CODE: N_("Anybody who scans the code (name masked)"),
    Receiver.PUBLIC_PAGE: N_("Anybody, on the public page of the training"),
}
WAYS = {
    ConsentWay.SELF_ENROLMENT: N_("When enrolling"),
    ConsentWay.TICKET: N_("On the ticket's page"),
    ConsentWay.ACCOUNT: N_("In the account"),
    ConsentWay.DESK: N_("On paper or in person, recorded by staff"),
    ConsentWay.LIST: N_("On paper, recorded with a list"),
}
GIVERS = {ConsentGiver.ONESELF: N_("The person"), ConsentGiver.GUARDIAN: N_("A guardian")}
RELATIONS = {Relation.MOTHER: N_("Mother"), Relation.FATHER: N_("Father"), Relation.OTHER: N_("Other legal guardian")}
REQUEST_STATES = {
    ErasureState.OPEN: N_("Not answered yet"),
    ErasureState.DONE: N_("Erased"),
    ErasureState.REFUSED: N_("Refused"),
    ErasureState.WITHDRAWN: N_("Taken back"),
}
UNITS = {"days": N_("days"), "months": N_("months")}
# Names of fields in an export that the audit trail has no label for.
FIELDS = {
    "name": N_("Name"),
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "created_at": N_("Created"),
    "given_at": N_("Given"),
    "course": N_("Course"),
    "host": N_("Host"),
    "place": N_("Place"),
    "sessions": N_("Sessions"),
    "state": N_("State"),
    "number": N_("Number"),
    "issued_on": N_("Issued on"),
    "valid_until": N_("Valid until"),
    "holder_name": N_("Holder's name"),
    "reason": N_("Reason"),
    "at": N_("Time"),
    "action": N_("Action"),
    "purpose": N_("Purpose"),
    "version": N_("Version"),
    "roles": N_("Roles"),
    "language": N_("Language"),
    "arrived_at": N_("Arrived"),
    "left_at": N_("Left"),
}
