"""The counting rule as text, one sentence or two a paragraph: every report and every mailed report prints it.

`courses.counting.person_time` applies the rule.
"""

from flask_babel import lazy_gettext as _l

RULE = (
    _l(
        "One person-time is one person taking part in one offering, at one or more of its sessions. A course of two days "
        "is 1, a retest adds 0, a refresher is 1 and also stands in its own column."
    ),
    _l(
        "Person-times = attended (named) + headcount. A headcount is the largest number counted at one session of the "
        "offering; it adds no people, no hours and no certificates."
    ),
    _l(
        "An offering counts once it is closed, on the day of its last session (Beijing time). Certificates count on the "
        "day they are issued. What is not closed yet is shown apart."
    ),
    _l("People are distinct trainees as the records stand today. They do not add up over rows: who came twice is one."),
    _l(
        "A frozen quarter never changes. What is corrected later counts in the open quarter, as an adjustment that names "
        "what it corrects."
    ),
)
