"""The counting rule as text, one sentence or two a paragraph: every report and every mailed report prints it.

`courses.counting.person_time` applies the rule.
"""

from flask_babel import lazy_gettext as _l

RULE = (
    _l(
        "One person-time is one person taking part in one offering, at one or more of its sessions. A course of two"
        " days is 1, a retest adds 0, a refresher is 1 and is also shown in its own column."
    ),
    _l(
        "Person-times = attended (named) + headcount. A headcount is the largest number counted at one session of the "
        "offering; it adds no people, no hours and no certificates."
    ),
    _l(
        "An offering counts once it is closed, on the day of its last session (Beijing time). Certificates count on"
        " the day they are issued. Offerings that are not closed yet are shown separately."
    ),
    _l(
        "People are distinct trainees. Rows do not add up: a person who came twice counts once. A person whom a"
        " correction adds to a frozen quarter, or takes out of it, changes the people of later periods only."
    ),
    _l(
        "A frozen quarter never changes. Later corrections count in the open quarter, as adjustments that name what"
        " they correct."
    ),
)
