"""Outcomes of an event that a device or a page sends (a check-in or a skill result), and the limit of its reason."""

from enum import StrEnum

REASON_LIMIT = 200


class Outcome(StrEnum):
    """The outcome of one event.

    accepted: the event changed the attendance or the result. already: the change had been made before. review: the event
    is stored and does not count until a person decides. rejected: the event is not stored, because it cannot be read,
    belongs to nobody, or uses the id of another event.
    """

    ACCEPTED = "accepted"
    ALREADY = "already"
    REVIEW = "review"
    REJECTED = "rejected"
