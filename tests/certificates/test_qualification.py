"""The qualification that a certificate certifies: its qualification where a refresher gave it, else its course."""

from certificates.qualification import of_facts

COURSE = {"course_zh": "救护员复训", "course_en": "Refresher", "hours": "8.0"}


def test_the_qualification_comes_before_the_course() -> None:
    renewed = COURSE | {
        "qualification_zh": "救护员",
        "qualification_en": "First responder",
        "qualification_hours": "7.5",
    }
    assert (of_facts(renewed).name("zh"), of_facts(renewed).name("en"), of_facts(renewed).hours) == (
        "救护员",
        "First responder",
        "7.5",
    )
    assert (of_facts(COURSE).name("zh"), of_facts(COURSE).name("en"), of_facts(COURSE).hours) == (
        "救护员复训",
        "Refresher",
        "8",
    )
