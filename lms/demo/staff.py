"""Staff of the demo: hosts, instructors, and one account for each role."""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sqlalchemy.orm import Session

from courses.models.trainees import Trainee
from instructors.models import Instructor, Level, Qualification
from lms.accounts import passwords, users
from lms.accounts.models import User
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core.scope import EVERYTHING, Role
from lms.demo import plan
from lms.demo.people import DemoPeople
from lms.organisations import register as organisations
from lms.organisations.models import Organisation
from lms.organisations.register import OrganisationFacts

ACCOUNTS_FILE = "demo_accounts.json"
WITHOUT_ACCOUNT = 2  # the instructor whom an administrator may invite
DOMAIN = "demo.example.org"
LABELS = {
    Role.CITY_ADMINISTRATOR: "市级管理员 · city administrator",
    Role.DISTRICT_ADMINISTRATOR: "区级管理员 · district administrator",
    Role.COORDINATOR: "组织单位联络员 · coordinator",
    Role.INSTRUCTOR: "师资 · instructor",
    Role.AUDITOR: "审计员 · auditor",
    Role.TRAINEE: "学员 · trainee",
}
HOME = 6  # Haidian, where the demo's district administrator, coordinator and instructor are at home


@dataclass(frozen=True)
class Staff:
    """Everybody who works, and the accounts to try."""

    hosts: list[Organisation]
    instructors: list[Instructor]
    city: User
    accounts: list[tuple[Role, User]]


def hire(db: Session, random: Random, begin: date, password: str) -> Staff:
    """Enter hosts and instructors, and make an account for each role. All accounts share the password."""
    hosts = [
        organisations.add(
            db, OrganisationFacts(name_zh=zh, name_en=en, district_id=district_id, sector=sector), EVERYTHING
        )
        for district_id, zh, en, sector in plan.HOSTS
    ]
    sealed = passwords.seal(password)

    def unopened(role: Role, name: str, at: str, **where: int) -> User:
        """Nobody signs in to it: it has no password."""
        facts = UserFacts(name=name, email=f"{at}@{DOMAIN}")
        return users.create(db, facts, [GrantFacts(role, **where)], EVERYTHING, None, vouched=True).user

    def account(role: Role, name: str, **where: int) -> User:
        user = unopened(role, name, role.value.replace("_", "-"), **where)
        user.password_hash = sealed
        return user

    city = account(Role.CITY_ADMINISTRATOR, "刘市级")
    teacher = account(Role.INSTRUCTOR, "陈静")
    accounts = [
        (Role.CITY_ADMINISTRATOR, city),
        (Role.DISTRICT_ADMINISTRATOR, account(Role.DISTRICT_ADMINISTRATOR, "赵海淀", district_id=HOME)),
        (Role.COORDINATOR, account(Role.COORDINATOR, "孙联络", organisation_id=hosts[0].id)),
        (Role.INSTRUCTOR, teacher),
        (Role.AUDITOR, account(Role.AUDITOR, "周审计")),
        (Role.TRAINEE, account(Role.TRAINEE, "林学员")),
    ]
    names = DemoPeople(random)
    teachers = []
    for number, (district_id, level, programmes) in enumerate(plan.INSTRUCTORS, 1):
        name = teacher.name if number == 1 else names.name()
        # Hours count from the own check-in, so nearly each has an account; what one without it taught stands as planned.
        user = teacher if number == 1 else None
        if user is None and number != WITHOUT_ACCOUNT:
            user = unopened(Role.INSTRUCTOR, name, f"instructor-{number}")
        person = Instructor(
            name=name,
            registration_number=f"BJ-SZ-{number:04d}",
            district_id=district_id,
            level=Level(level),
            user_id=user.id if user is not None else None,
            active=True,
        )
        person.phone = names.phone()
        person.qualifications = [
            Qualification(
                programme_code=programme,
                valid_from=begin - timedelta(days=400 + 20 * number),
                valid_until=begin + timedelta(days=700 - 10 * number),
            )
            for programme in programmes
        ]
        db.add(person)
        teachers.append(person)
    db.flush()
    return Staff(hosts, teachers, city, accounts)


def lend_record(db: Session, staff: Staff, person: Trainee) -> None:
    """Let the demo's trainee account be one of the trainees of the year."""
    user = dict(staff.accounts)[Role.TRAINEE]
    user.name = person.name
    person.user_id = user.id
    db.flush()


def write_accounts(instance: Path, staff: Staff, password: str) -> None:
    """Leave the accounts where the start prints them, for the owner of the folder alone."""
    entries = [
        {"code": role.value, "role": LABELS[role], "login": user.email, "password": password}
        for role, user in staff.accounts
    ]
    instance.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(instance / ACCOUNTS_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(entries, file, ensure_ascii=False, indent=1)


def new_password() -> str:
    """A password for this copy of the demo alone: nobody finds it in the source."""
    return "-".join(secrets.token_hex(2) for _ in range(3))
