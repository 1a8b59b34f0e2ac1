"""Access: every route against every role (`test_reach`: another district's rows).

A new route joins the table of its area below, or is named on its own. Nothing is public that is not on the list.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from lms.accounts import totp
from lms.accounts.models import User
from lms.config import SecondFactor
from lms.core import access
from lms.core.access import SAFE_METHODS, guard_of
from lms.core.errors import Denied
from lms.core.scope import ADMINISTRATORS, READERS, STAFF, Role
from tests.architecture.routes import address, anything, methods
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
Who = frozenset[Role]

CITY = frozenset({Role.CITY_ADMINISTRATOR})
ADMIN = frozenset(ADMINISTRATORS)
READ = frozenset(READERS)
PLAN = frozenset(STAFF)
TEACH = PLAN | {Role.INSTRUCTOR}
RESULTS = ADMIN | {Role.INSTRUCTOR}
LOOK = PLAN | {Role.AUDITOR}
ALL_BUT_TRAINEES = TEACH | {Role.AUDITOR}
NOBODY: Who = frozenset()

# Area (blueprint) → who may read it and who may change something in it.
AREAS: dict[str, tuple[Who, Who]] = {
    "assigning": (PLAN, PLAN),
    "assessment": (ALL_BUT_TRAINEES, RESULTS),
    "attendance": (ALL_BUT_TRAINEES, TEACH),
    "audit": (READ - {Role.DISTRICT_ADMINISTRATOR}, NOBODY),
    "cancelling": (PLAN, PLAN),
    "catalogue": (READ, CITY),
    "certificates": (ALL_BUT_TRAINEES, ADMIN),
    "check_ins": (TEACH, TEACH),
    "closing_requests": (NOBODY, RESULTS),
    "code_display": (TEACH, TEACH),
    "desk_links": (NOBODY, PLAN),
    "devices": (NOBODY, TEACH),
    "enrolment": (ALL_BUT_TRAINEES, PLAN),
    "expiring": (LOOK, NOBODY),
    "held_elsewhere": (ADMIN, ADMIN),
    "indicators": (LOOK, NOBODY),
    "exports": (LOOK, LOOK),
    "hand_out": (TEACH, TEACH),
    "imports": (ADMIN, ADMIN),
    "import_rows": (ADMIN, ADMIN),
    "import_values": (ADMIN, ADMIN),
    "instructors": (READ, ADMIN),
    "legacy": (READ - {Role.DISTRICT_ADMINISTRATOR}, CITY),
    "legacy_holders": (ADMIN, ADMIN),
    "name_writings": (PLAN, PLAN),
    "overview_pictures": (LOOK, NOBODY),
    "own_data": (frozenset({Role.TRAINEE}), frozenset({Role.TRAINEE})),
    "personal_data": (ADMIN, ADMIN),
    "privacy": (NOBODY, CITY),
    "search": (ALL_BUT_TRAINEES, ALL_BUT_TRAINEES),
    "processing": (READ - {Role.DISTRICT_ADMINISTRATOR}, CITY),
    "my_training": (frozenset({Role.TRAINEE}), frozenset({Role.TRAINEE})),
    "offerings": (ALL_BUT_TRAINEES, PLAN),
    "opening_balances": (READ - {Role.DISTRICT_ADMINISTRATOR}, CITY),
    "organisation": (LOOK, NOBODY),
    "organisations": (READ, ADMIN),
    "population": (READ, CITY),
    "quarters": (READ, CITY),
    "renewal": (ADMIN, ADMIN),
    "paper": (TEACH, TEACH),
    "printing": (ALL_BUT_TRAINEES, NOBODY),
    "layouts": (CITY, CITY),
    "reports": (LOOK, NOBODY),
    "report_mail_now": (PLAN, PLAN),
    "report_sessions": (LOOK, NOBODY),
    "report_hours": (LOOK, NOBODY),
    "report_hosts": (LOOK, NOBODY),
    "report_waiting": (LOOK, NOBODY),
    "saved_views": (LOOK, LOOK),
    "reviews": (ALL_BUT_TRAINEES, TEACH),
    "sending_again": (PLAN, PLAN),
    "sessions": (ALL_BUT_TRAINEES, RESULTS),
    "class_messages": (TEACH, TEACH),
    "merging": (ADMIN, ADMIN),
    "moving": (PLAN, PLAN),
    "examiner_events": (TEACH, TEACH),
    "skill_results": (TEACH, TEACH),
    "session_acts": (TEACH, TEACH),
    "staff_second_names": (ADMIN, ADMIN),
    "targets": (READ, CITY),
    "to_call": (PLAN, PLAN),
    "teaching_hours": (READ, NOBODY),
    "unclosed": (LOOK, NOBODY),
    "unprintable": (ALL_BUT_TRAINEES, NOBODY),
    "unsent": (TEACH, TEACH),
    "today": (frozenset({Role.INSTRUCTOR}), frozenset({Role.INSTRUCTOR})),
    "proposals": (LOOK, PLAN),
    "trainees": (LOOK, PLAN),
    "training_requests": (ADMIN, ADMIN),
    "users": (ADMIN, ADMIN),
}

# Single routes that differ from their area.
EXCEPTIONS: dict[str, Who] = {
    "closing_requests.record": TEACH,  # a host's device is let in and told that it closes nothing
    "attendance.scan": TEACH,  # pages that lead to a change
    "attendance.undo": TEACH,
    "attendance.search": ALL_BUT_TRAINEES,  # a filter bar sent by POST: whom it seeks may not stand in an address
    "audit.index": READ - {Role.DISTRICT_ADMINISTRATOR},
    "audit.export": READ - {Role.DISTRICT_ADMINISTRATOR},
    "certificates.export": READ,
    "certificates.index": ALL_BUT_TRAINEES,
    "enrolment.preview": PLAN,
    "expiring.page": LOOK,
    "targets.export_sectors": READ - {Role.DISTRICT_ADMINISTRATOR},
    "legacy.index": READ - {Role.DISTRICT_ADMINISTRATOR},
    "offerings.suggested_hosts": PLAN,
    "offerings.suggested_instructors": PLAN,
    "enrolment.rejected": PLAN,
    "enrolment.template": PLAN,
    "personal_data.consent": PLAN,  # whoever enrols has the consent on paper
    "personal_data.erase": CITY,
    "personal_data.refuse": CITY,
    "organisation.own": frozenset({Role.COORDINATOR}),
    "quarters.freeze": CITY,
    "reports.districts": READ,
    "reports.districts_export": READ,
    "reports.districts_map": READ,
    "reviews.page": TEACH,  # a page that leads to a change
    "sessions.headcount": TEACH,  # a host counts heads too
    "sessions.here": frozenset({Role.INSTRUCTOR}),  # one checks oneself in
    "sessions.leave": frozenset({Role.INSTRUCTOR}),
    "teaching_hours.own": frozenset({Role.INSTRUCTOR}),
    "trainees.index": LOOK,
    "trainees.reads": READ - {Role.DISTRICT_ADMINISTRATOR},
}
READING = {
    "attendance.search", "audit.index", "search.page", "certificates.index", "expiring.page", "legacy.index",
    "legacy_holders.index", "trainees.index",
    "exports.new", "exports.delete", "certificates.export",
    "saved_views.save", "saved_views.change", "saved_views.delete",
}  # fmt: skip

# Any user, for the own account.
ANY_USER = {
    "contacts.page", "contacts.add", "contacts.remove", "contacts.ask_for_code", "contacts.refuse", "contacts.prefer",
    "account.page", "account.change", "account.change_password", "account.end_browser", "account.end_others",
    "devices.page", "devices.revoke",
    "second_factor.page", "second_factor.remove_app", "second_factor.remove_passkey", "second_factor.rename_passkey",
    "second_factor.codes", "second_factor.make_codes", "second_factor.forget_browsers",
    "report_mails.page", "report_mails.save",
}  # fmt: skip

# Any user, and a browser that gave the password and still owes a step of its sign-in: any step, or the step of the key.
HALF_SIGNED_IN = {"account.sign_out", "sign_in.confirm"}
IN_STEP = {
    "second_factor.ask": {"second_factor.ask", "second_factor.using_options", "second_factor.use_passkey"},
    "second_factor.set_up": {
        "second_factor.set_up", "second_factor.app", "second_factor.adding_options", "second_factor.add_passkey",
    },
}  # fmt: skip

# Paired devices, by their token: a cookie opens none of them.
DEVICES = {
    "check_ins.changes", "check_ins.day", "check_ins.record", "check_ins.roster", "check_ins.sessions",
    "closing_requests.record", "examiner_events.record_theory", "examiner_events.start_retests",
    "session_acts.headcounts", "session_acts.own_check_ins", "skill_results.record",
}  # fmt: skip

# Anybody, without an account.
PUBLIC = {
    "invitations.page", "invitations.accept", "invitations.create", "prove.page", "prove.again", "prove.link",
    "home.page", "health.alive", "health.metrics", "health.ready", "security_txt.contacts",
    "sign_in.page", "sign_in.forgotten", "sign_in.choose",
    "public_offerings.page", "public_offerings.month", "public_offerings.detail", "self_enrolment.page",
    "ask_training.page", "ask_training.received",
    "self_check_in.scan", "self_check_in.page", "self_check_in.answer", "self_check_in.answer_known",
    "self_check_in.answer_unlisted", "self_check_in.done",
    "privacy.page", "privacy.version", "ticket_data.consent", "ticket_data.withdraw", "ticket_data.correct",
    "ticket_data.writing", "ticket_places.offer", "ticket_places.group", "ticket_places.together",
    "tickets.page", "tickets.account", "tickets.link", "tickets.calendar", "tickets.cancel", "holding.pdf",
    "holding.page", "holding.card", "holding.picture", "holding.badge", "holding.share", "holding.withdraw",
    "holding.code", "wallets.add", "second_names.page", "second_names.withdraw", "second_names.ask_for_code",
    "sharing.page", "sharing.pdf", "sharing.picture",
    "badges.did", "badges.issuer", "badges.achievement", "badges.picture",
    "my_certificate.page", "my_certificate.name", "my_certificate.leave", "my_certificate.identity",
    "verification.find", "verification.page", "verification.name",
    "api.verdict", "api.verdicts", "api.long_list", "api.remove_list",
    "api.description", "status.key_set", "status.certificate_types",
    "status.signed_list", "public_figures.page", "public_figures.file", "public_figures.signed",
    "sealed_records.index", "sealed_records.latest", "sealed_records.block",
    "list_checks.page", "list_checks.progress", "list_checks.file", "list_checks.remove",
    "verification_list.page", "offline.page", "offline.worker", "offline.file",
    "offline_session.file", "offline_session.worker",
}  # fmt: skip


def test_every_route_has_a_guard(app: Flask, rules: list[Rule]) -> None:
    assert [rule.endpoint for rule in rules if guard_of(app, rule.endpoint) is None] == []


def test_only_the_listed_routes_are_public(app: Flask, rules: list[Rule]) -> None:
    found = {rule.endpoint for rule in rules if (guard := guard_of(app, rule.endpoint)) and guard.anyone}
    assert found == PUBLIC


def test_only_the_listed_posts_are_said_to_change_nothing(app: Flask, rules: list[Rule]) -> None:
    found = {rule.endpoint for rule in rules if (guard := guard_of(app, rule.endpoint)) and guard.reading}
    assert found == READING


def test_only_the_own_account_is_open_to_any_user(app: Flask, rules: list[Rule]) -> None:
    found = {
        rule.endpoint
        for rule in rules
        if (guard := guard_of(app, rule.endpoint)) and not guard.anyone and guard.roles is None
    }
    assert found == ANY_USER | HALF_SIGNED_IN | set().union(*IN_STEP.values())


@pytest.fixture
def demanded(app: Flask) -> Iterator[None]:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings.model_copy(update={"second_factor": SecondFactor.DEMANDED})
    yield
    app.config["SETTINGS"] = settings


@pytest.mark.usefixtures("demanded")
@pytest.mark.parametrize("step", list(IN_STEP))
def test_a_half_sign_in_reaches_its_step_and_public_pages_alone(  # noqa: PLR0917  # fixtures, each by name
    app: Flask, rules: list[Rule], db: Session, make: Make, sign_in: SignIn, step: str
) -> None:
    """A thief of a password sees nothing that a visitor does not see, and sends nothing."""
    user = make.user(Role.CITY_ADMINISTRATOR, Role.INSTRUCTOR, Role.TRAINEE)
    if step == "second_factor.ask":
        totp.set_up(db, user, totp.new_secret(), 0)
    cookie = sign_in(user).get_cookie("lms")
    assert cookie is not None
    reached, wrong = set(), []
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if guard is None or guard.anyone or guard.admit:
            continue
        path = address(app, rule, anything(rule))
        for method in methods(rule):
            with app.test_request_context(path, method=method, headers={"Cookie": f"lms={cookie.value}"}):
                answer = before_the_view(app)
                assert not access.holds(*Role)
            if answer == "in":
                reached.add(rule.endpoint)
            elif answer != ("sign in" if method == "GET" and not path.startswith("/api/") else "denied"):
                wrong.append((method, path, answer))
    assert reached == HALF_SIGNED_IN | IN_STEP[step]
    assert wrong == []


def test_only_the_listed_routes_go_by_a_devices_token(app: Flask, rules: list[Rule]) -> None:
    found = {rule.endpoint for rule in rules if (guard := guard_of(app, rule.endpoint)) and guard.admit}
    assert found == DEVICES


def test_each_route_is_open_to_the_roles_of_its_area_and_no_other(app: Flask, rules: list[Rule]) -> None:
    wrong = {}
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if guard is None or guard.roles is None:
            continue
        area = rule.endpoint.partition(".")[0]
        reads, writes = AREAS.get(area, (NOBODY, NOBODY))
        expected = reads if methods(rule) <= SAFE_METHODS else writes
        if guard.roles != EXCEPTIONS.get(rule.endpoint, expected):
            wrong[rule.endpoint] = " ".join(sorted(guard.roles))
    assert wrong == {}


def test_the_guards_let_in_exactly_whom_they_name(app: Flask, rules: list[Rule], make: Make, sign_in: SignIn) -> None:
    """Each route × the visitor and each role, up to the view: the view itself is not run."""
    cookies: dict[Role | None, str] = {None: ""}
    for role in Role:
        browser = sign_in(make.user(role))
        cookies[role] = f"lms={cookie.value}" if (cookie := browser.get_cookie("lms")) else ""
    wrong = []
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        assert guard is not None
        path = address(app, rule, anything(rule))
        for method in methods(rule):
            for role, cookie in cookies.items():
                headers = {"Cookie": cookie} if cookie else {}
                with app.test_request_context(path, method=method, headers=headers):
                    answer = before_the_view(app)
                expected = "in"
                if guard.admit or (not guard.anyone and role is None):
                    expected = "sign in"
                elif guard.roles is not None and (
                    role not in guard.roles
                    or (role is Role.AUDITOR and method not in SAFE_METHODS and not guard.reading)
                ):
                    expected = "denied"
                if answer != expected:
                    wrong.append((method, rule.rule, role, answer, expected))
    assert wrong == []


def before_the_view(app: Flask) -> str:
    try:
        answer = app.preprocess_request()
    except Denied:
        return "denied"
    except Exception as error:  # an abort, by its HTTP status
        return "sign in" if getattr(error, "code", None) in {401, "device_unknown"} else repr(error)
    if answer is None:
        return "in"
    response = app.make_response(answer)
    leads_to_sign_in = re.match(r"/sign-in/|/account/second-factor/set-up\?", response.location or "")
    return "sign in" if response.status_code == 302 and leads_to_sign_in else str(response.status)


def test_an_auditor_changes_nothing(app: Flask, rules: list[Rule], make: Make, sign_in: SignIn) -> None:
    """Real requests: an auditor's POST is refused wherever roles are asked for, even where the auditor may read."""
    browser = sign_in(make.user(Role.AUDITOR))
    answers = {}
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if guard is None or guard.roles is None or guard.reading or guard.admit:
            continue
        for method in methods(rule) - SAFE_METHODS:
            path = address(app, rule, anything(rule))
            answers[method, rule.rule] = browser.open(path, method=method).status_code
    assert answers
    assert {key: status for key, status in answers.items() if status != 403} == {}


def test_a_refused_page_says_so_in_words(make: Make, sign_in: SignIn) -> None:
    answer: Response = sign_in(make.user(Role.INSTRUCTOR)).get("/users/")
    assert answer.status_code == 403
    assert "角色" in answer.text
