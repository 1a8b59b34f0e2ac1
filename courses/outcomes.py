"""Outcomes of a check-in, and limits that check-ins and assessments share."""

from enum import StrEnum

REASON_LIMIT = 200


LARGEST = 2**63 - 1


class Outcome(StrEnum):
    """accepted: the event made the difference. already: it was so before. review: kept until somebody decides.

    rejected: not kept, because it cannot be read, concerns nobody, or uses an id that another event has.
    """

    ACCEPTED = "accepted"
    ALREADY = "already"
    REVIEW = "review"
    REJECTED = "rejected"
