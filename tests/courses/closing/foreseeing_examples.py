"""Examples to which both the rules of the server and those of the device (`foreseeing.js`) are held.

They are made at random from one seed, and their results worked out by the server's rules. Run this module to write them
again after a rule has changed: `python -m tests.courses.closing.foreseeing_examples`.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from courses.assessment.entitlement import (
    CourseRequirements,
    TraineeResults,
    judge,
    minutes_needed,
    missing_presence,
    sessions_needed,
)
from courses.attendance import punctuality
from courses.models.catalogue import AttendanceRule
from courses.offerings.class_hours import planned_minutes

FILE = Path(__file__).parents[2] / "lms" / "static" / "foreseeing_examples.json"
CLASSES, PEOPLE = 40, 4
START = datetime(2026, 9, 1, 1, tzinfo=UTC)


def examples() -> list[dict[str, Any]]:
    """Return the examples: a class, its people, and what closing one of its sessions does."""
    chance = random.Random(15)
    return [_example(chance) for _ in range(CLASSES)]


def _example(chance: random.Random) -> dict[str, Any]:
    starts = [START + timedelta(hours=24 * day) for day in range(chance.choice([1, 2, 2, 3]))]
    sessions = [
        {"id": 10 + number, "starts_at": start, "ends_at": start + timedelta(minutes=chance.choice([45, 90, 181]))}
        for number, start in enumerate(starts)
    ]
    rule = chance.choice(list(AttendanceRule))
    minutes = [planned_minutes(row["starts_at"], row["ends_at"]) for row in sessions]
    demand = CourseRequirements(
        sessions_needed(len(sessions), rule), sum(minutes), minutes_needed(sum(minutes), chance.choice([None, 80, 90])),
        chance.choice([None, 60, 80]), frozenset(range(1, chance.randint(1, 3))), chance.random() < 0.9,
    )  # fmt: skip
    session = chance.choice(sessions)
    closed = [row["id"] for row in sessions if row is not session and chance.random() < 0.7]
    people = [_person(chance, sessions, number) for number in range(PEOPLE)]
    so_far = [row for row in sessions if row is session or row["id"] in closed]
    expected = [_judged(demand, sessions, so_far, session, person) for person in people]
    last = len(so_far) == len(sessions)
    return {
        "facts": {
            "sessions": [{name: _text(value) for name, value in row.items()} for row in sessions],
            "sessions_needed": demand.sessions_needed, "minutes_needed": demand.minutes_needed,
            "pass_mark": demand.pass_mark, "skills": sorted(demand.skills), "certificate": demand.certificate,
        },
        "session": session["id"],
        "closed": closed,
        "people": [
            person | {"times": {str(key): [_text(row) for row in times] for key, times in person["times"].items()}}
            for person in people
        ],
        "expected": {
            "last": last,
            "present": sum(person["here"] is not None for person in expected),
            "certified": sum(not person["missing"] for person in expected) if last else 0,
            "people": expected,
        },
    }  # fmt: skip


def _person(chance: random.Random, sessions: list[dict[str, Any]], number: int) -> dict[str, Any]:
    times = {}
    for row in sessions:
        if chance.random() < 0.8:
            arrived = row["starts_at"] + timedelta(seconds=chance.choice([-600, 0, 599, 600, 601, 2000, 20000]))
            left = row["ends_at"] - timedelta(seconds=chance.choice([-60, 0, 599, 601, 1800]))
            times[row["id"]] = [arrived, left if chance.random() < 0.3 else None]
    skills = [[skill, chance.random() < 0.7] for skill in (1, 2, 1, 2) if chance.random() < 0.6]
    theory = [chance.choice([0, 59, 60, 79, 80, 100]) for _ in range(chance.choice([0, 1, 1, 2]))]
    results = {"theory": theory, "skills": skills}
    return {
        "enrolment": 100 + number, "named": chance.random() < 0.9, "holds": chance.random() < 0.8, "times": times,
        "results": results,
    }  # fmt: skip


def _judged(
    demand: CourseRequirements,
    sessions: list[dict[str, Any]],
    so_far: list[dict[str, Any]],
    session: dict[str, Any],
    person: dict[str, Any],
) -> dict[str, Any]:
    stays = {
        row["id"]: punctuality.measure(row["starts_at"], row["ends_at"], *person["times"][row["id"]])
        for row in so_far
        if row["id"] in person["times"]
    }
    minutes = sum(stay.minutes for stay in stays.values())
    still_open = [row for row in sessions if row not in so_far]
    if still_open:
        ahead = sum(planned_minutes(row["starts_at"], row["ends_at"]) for row in still_open)
        missing, state = missing_presence(demand, len(stays) + len(still_open), minutes + ahead), None
    else:
        results = TraineeResults(
            tuple(person["results"]["theory"]), tuple((skill, passed) for skill, passed in person["results"]["skills"])
        )
        name = "张伟" if person["named"] else "…"
        verdict = judge(
            demand, name=name, sessions_attended=len(stays), minutes_attended=minutes, results=results,
            holds=person["holds"],
        )  # fmt: skip
        missing, state = list(verdict.shortfalls), str(verdict.state)
        assert verdict.certificate_due == (not missing)
    here = stays.get(session["id"])
    return {
        "enrolment": person["enrolment"],
        "minutes": minutes,
        "here": {"late": here.late, "early": here.early, "minutes": here.minutes} if here else None,
        "missing": [str(code) for code in missing],
        "state": state,
    }


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def written() -> str:
    """Return the text of the file."""
    return json.dumps(examples(), ensure_ascii=False, indent=None, separators=(",", ":")).replace(
        '{"facts"', '\n{"facts"'
    )


if __name__ == "__main__":
    FILE.write_text(written() + "\n", encoding="utf-8")
