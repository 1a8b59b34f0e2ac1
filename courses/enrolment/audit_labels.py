"""Labels of the audit trail's codes for trainees and enrolments."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "consent.give": N_("Consent to the privacy notice given"),
            "consent.withdraw": N_("Consent withdrawn"),
            "privacy.publish": N_("Privacy notice published"),
            "enrolment.cancel": N_("Enrolment cancelled"),
            "enrolment.create": N_("Enrolled"),
            "enrolment.import": N_("Enrolled from a file"),
            "enrolment.move": N_("Moved to another class"),
            "enrolment.move_up": N_("Moved up in the waiting list"),
            "enrolment.promote": N_("Moved up from the waiting list"),
            "name_writing.record": N_("Writing of a name for the certificate recorded"),
            "name_writing.withdraw": N_("Writing of a name for the certificate undone"),
            "proposal.accept": N_("Proposed change accepted"),
            "proposal.create": N_("Change of a person proposed"),
            "proposal.refuse": N_("Proposed change refused"),
            "proposal.withdraw": N_("Proposed change withdrawn"),
            "trainee.change": N_("Trainee changed"),
            "trainee.claim": N_("Trainee linked to an account"),
            "trainee.conflict": N_("ID number entered with another name"),
            "trainee.create": N_("Trainee registered"),
            "trainee.fill": N_("Trainee's particulars completed"),
            "trainee.hand_over": N_("Link to an account handed over at the desk"),
            "trainee.open_by_name": N_("Own record opened by a shared contact and the name"),
            "trainee.prove": N_("Contact confirmed at the desk"),
            "trainee.read_id_number": N_("ID number read"),
            "trainee.read_phone": N_("phone number read"),
        },
        nouns={
            "enrolment": N_("Enrolment"),
            "privacy_text": N_("Privacy notice"),
            "proposal": N_("Proposed change"),
            "trainee": N_("Trainee"),
        },
        fields={
            "birth_year": N_("Birth year"),
            "consents": N_("Consents"),
            "giver": N_("Given by"),
            "in_force_from": N_("In force from"),
            "version": N_("Version"),
            "way": N_("Way"),
            "document": N_("Document"),
            "enrolment": N_("Enrolment"),
            "guardian_name": N_("Guardian"),
            "guardian_phone": N_("Guardian's phone"),
            "id_number": N_("ID number"),
            "id_type": N_("ID type"),
            "phone": N_("Phone"),
            "trainee": N_("Trainee"),
            "writing": N_("Writing on the certificate"),
        },
        values={
            "cancelled": N_("cancelled"),
            "completed": N_("completed"),
            "enrolled": N_("enrolled"),
            "failed": N_("failed"),
            "foreign_permanent": N_("Foreign permanent resident card"),
            "hk_macau_permit": N_("Hong Kong or Macau permit"),
            "incomplete": N_("incomplete"),
            "passport": N_("Passport"),
            "resident": N_("Resident ID card"),
            "taiwan_permit": N_("Taiwan permit"),
            "waitlisted": N_("on the waiting list"),
        },
        pages={
            "proposal": ("proposals.page", "proposal_id"),
            "trainee": ("trainees.page", "trainee_id"),
        },
    )
)
