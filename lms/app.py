"""The one map of the system: blueprints, commands, and what happens after which event."""

import sys
from importlib import import_module

import structlog
from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from certificates import held
from certificates import tasks as issuing_tasks
from certificates.events import BadgeOwed, CertificatesOwed, ListOwed, ReissueOwed, StatusChanged, WalletPassOwed
from courses import tasks as course_tasks
from courses.counting import warming
from courses.enrolment import held_certificates, waiting_list
from courses.events import ExportRequested, ImportRequested, NameDecided, OfferingClosed, PeopleIdentified
from lms.accounts import current
from lms.accounts import tasks as account_tasks
from lms.accounts.password_requests import LinkRequested
from lms.config import ROOT, Settings, SettingsError, load_settings
from lms.core import (
    access,
    clock,
    cookies,
    crypto,
    events,
    fast_path,
    fonts,
    languages,
    limits,
    list_addresses,
    logs,
    tasks,
    web,
)
from lms.core.autocommit import AutocommitReads, make_autocommit_engine
from lms.core.engine import make_engine
from lms.core.messages import owing
from lms.core.messages import tasks as message_tasks
from lms.core.messages.channels import configured
from lms.core.messages.owing import MessageOwed
from lms.core.transactions import make_sessions
from lms.portal.navigation import navigation

log = structlog.get_logger(__name__)

# URL prefix, and the module whose `blueprint` answers there.
BLUEPRINTS: tuple[tuple[str, str], ...] = (
    ("/", "lms.portal.home"),
    ("/overview", "lms.portal.pictures"),
    ("/", "lms.portal.health"),
    ("/", "lms.portal.security_txt"),
    ("/sign-in", "lms.accounts.views.sign_in"),
    ("/prove", "lms.accounts.views.prove"),
    ("/", "lms.accounts.views.second_factor"),
    ("/account", "lms.accounts.views.account"),
    ("/account/contacts", "lms.accounts.views.contacts"),
    ("/", "lms.accounts.views.devices"),
    ("/users", "lms.accounts.views.users"),
    ("/audit", "lms.accounts.views.audit"),
    ("/organisations", "lms.organisations.views"),
    ("/instructors", "instructors.views.register"),
    ("/invitations", "instructors.views.invitations"),
    ("/catalogue", "courses.catalogue.views"),
    ("/offerings", "courses.offerings.views.offerings"),
    ("/offerings", "courses.offerings.views.class_messages"),
    ("/offerings", "courses.offerings.views.assigning"),
    (
        "/offerings/<int:offering_id>/enrolments",
        "courses.enrolment.views.sheet_import",
    ),  # extends the blueprint of views.enrolment
    ("/offerings/<int:offering_id>/enrolments", "courses.enrolment.views.name_writings"),
    ("/offerings/<int:offering_id>/enrolments", "courses.enrolment.views.cancelling"),
    ("/offerings/<int:offering_id>/enrolments", "courses.enrolment.views.moving"),
    ("/offerings/<int:offering_id>/enrolments", "courses.closing.views.held_elsewhere"),
    ("/offerings/<int:offering_id>/assessment", "courses.closing.views.results"),
    ("/sessions", "courses.attendance.views.attendance"),
    ("/sessions", "courses.attendance.devices.views.offline_session"),
    ("/sessions", "courses.closing.views.sessions"),
    ("/sessions", "courses.closing.views.unclosed"),
    ("/", "courses.offerings.views.teaching_hours"),
    ("/sessions", "courses.attendance.paper.views"),
    ("/sessions", "courses.attendance.self_check_in.views.code_display"),
    ("/", "courses.attendance.self_check_in.views.self_check_in"),
    ("/", "courses.closing.views.closing_requests"),
    ("/reviews", "courses.closing.views.reviews"),
    ("/training", "courses.offerings.views.public_offerings"),
    ("/training", "courses.offerings.views.ask_training"),
    ("/offerings/requested", "courses.offerings.views.training_requests"),
    ("/training", "courses.enrolment.views.self_enrolment"),
    ("/trainees", "courses.enrolment.views.trainees"),
    ("/trainees", "courses.merging.views"),
    ("/trainees/proposals", "courses.enrolment.views.proposals"),
    ("/trainees", "courses.privacy.views.personal_data"),
    ("/privacy", "courses.privacy.views.texts"),
    ("/personal-data", "courses.privacy.views.processing"),
    ("/my-training/data", "courses.privacy.views.own_data"),
    ("/tickets", "lms.portal.ticket_data"),
    ("/tickets", "lms.portal.ticket_places"),
    ("/tickets", "lms.portal.tickets"),
    ("/tickets", "certificates.views.holding"),
    ("/tickets", "certificates.views.wallets"),
    ("/tickets", "certificates.views.second_names"),
    ("/certificates", "certificates.views.staff_second_names"),
    ("/shared", "certificates.views.sharing"),
    ("/", "certificates.views.badges"),
    ("/", "courses.assessment.views.examiner_events"),
    ("/", "courses.assessment.views.skill_results"),
    ("/", "courses.closing.views.session_acts"),
    ("/trainees", "lms.portal.desk_links"),
    ("/today", "lms.portal.today"),
    ("/my-training", "lms.portal.my_training"),
    ("/my-certificate", "lms.portal.my_certificate"),
    ("/messages/to-call", "lms.portal.to_call"),
    ("/search", "lms.portal.search"),
    ("/reports", "courses.reports.views.enrolment"),
    ("/reports", "courses.reports.views.sessions"),
    ("/reports", "courses.reports.views.hours"),
    ("/reports", "courses.reports.views.waiting"),
    ("/reports", "courses.reports.views.hosts"),
    ("/reports/views", "courses.reports.views.saved_views"),
    ("/organisations", "lms.portal.organisation"),
    ("/", "courses.reports.views.mails"),
    ("/", "courses.reports.views.mail_now"),
    ("/reports", "courses.reports.exports.views"),
    ("/reports/indicators", "courses.reports.views.indicators"),
    ("/reports/targets", "courses.reports.views.targets"),
    ("/reports/population", "courses.reports.views.population"),
    ("/reports/quarters", "courses.reports.views.quarters"),
    ("/reports/opening-balances", "courses.reports.views.opening_balances"),
    ("/imports", "courses.imports.views.imports"),
    ("/imports", "courses.imports.views.known_values"),
    ("/imports", "courses.imports.views.rows"),
    ("/certificates", "certificates.views.certificates"),
    ("/certificates/printing", "certificates.views.printing"),
    ("/certificates", "certificates.views.hand_out"),
    ("/certificates", "certificates.views.sending_again"),
    ("/certificates/layouts", "certificates.layouts.views"),
    ("/certificates", "certificates.views.renewal"),
    ("/certificates/unprintable", "certificates.views.unprintable"),
    ("/certificates/legacy", "certificates.legacy.views"),
    ("/certificates/legacy/holders", "certificates.views.legacy_holders"),
    ("/certificates/expiring", "certificates.views.expiring"),
    ("/", "certificates.verification.views.verification"),
    ("/", "certificates.verification.views.bulk"),
    ("/", "certificates.verification.views.list_checks"),
    ("/", "certificates.verification.views.offline"),
    ("/", "certificates.verification.views.status_lists"),
    ("/", "certificates.verification.views.public_figures"),
    ("/", "certificates.verification.views.records"),
    ("/api/v1", "courses.attendance.devices.views.check_ins"),
    ("/check-ins", "courses.attendance.devices.views.unsent"),
    ("/api/v1", "certificates.verification.views.api"),
)

# Modules that register what can be imported.
KINDS: tuple[str, ...] = (
    "courses.imports.past",
    "courses.imports.organisations",
    "courses.imports.instructors",
    "courses.imports.opening",
    "certificates.legacy.sheet_import",
    "certificates.legacy.past_training_import",
)

# Modules that register labels of the audit trail.
AUDIT_LABELS: tuple[str, ...] = (
    "lms.core.messages.audit_labels",
    "lms.accounts.audit_labels",
    "lms.organisations.audit_labels",
    "instructors.audit_labels",
    "courses.catalogue.audit_labels",
    "courses.enrolment.audit_labels",
    "courses.privacy.audit_labels",
    "courses.merging.audit_labels",
    "courses.offerings.audit_labels",
    "courses.assessment.audit_labels",
    "courses.attendance.audit_labels",
    "courses.closing.audit_labels",
    "courses.counting.audit_labels",
    "courses.reports.audit_labels",
    "courses.imports.audit_labels",
    "certificates.audit_labels",
    "lms.backup.audit_labels",
)

# Modules that register personal data and its retention, the lowest package first: an erasure goes the other way.
PERSONAL_DATA: tuple[str, ...] = (
    "lms.core.messages.personal_data",
    "lms.accounts.personal_data",
    "instructors.personal_data",
    "courses.enrolment.personal_data",
    "courses.merging.personal_data",
    "courses.offerings.personal_data",
    "courses.assessment.personal_data",
    "courses.attendance.personal_data",
    "courses.reports.personal_data",
    "courses.imports.personal_data",
    "certificates.personal_data",
    "courses.privacy.erasure",
)

# Modules that register what is sealed with the field key.
SEALED_COLUMNS: tuple[str, ...] = (
    "lms.core.messages.sealed_columns",
    "lms.accounts.sealed_columns",
    "instructors.sealed_columns",
    "courses.models.sealed_columns",
    "certificates.sealed_columns",
)

# Modules that register a figure or a section of theirs with a page of a package below them.
FIGURES: tuple[str, ...] = (
    "certificates.valid_counts",
    "certificates.trainee_section",
    "courses.merging.trainee_section",
)

# Modules that say what a merge of two records of one person does to their tables.
MERGING: tuple[str, ...] = ("courses.merging.own_references", "certificates.merging")

# Modules whose `cli` is a click group or command; `module:name` where it is called otherwise.
COMMANDS: tuple[str, ...] = (
    "lms.core.cli:migrate",
    "lms.core.cli:translate",
    "lms.core.cli:field_keys",
    "lms.core.messages.cli",
    "courses.privacy.cli",
    "courses.merging.cli",
    "lms.embedded.cli",
    "lms.demo.cli",
    "courses.counting.cli",
    "courses.imports.cli",
    "lms.accounts.cli",
    "certificates.cli.keys",
    "certificates.cli.certificates",
    "certificates.cli.records",
    "lms.backup.cli:backup",
    "lms.backup.cli:identity",
    "lms.backup.cli:restore",
)


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Reads the environment when no settings are given; a wrong one ends the process with a line each."""
    if settings is None:
        try:
            settings = load_settings()
        except SettingsError as error:
            sys.exit("\n".join(f"Setting {line}" for line in error.lines))
    logs.configure()
    crypto.configure(settings.field_key, settings.field_key_fallbacks)
    clock.configure(settings.zone)
    fonts.configure(settings.fonts_dir)
    owing.configure(configured.served(settings))
    held_certificates.configure(held.of_people)
    waiting_list.configure(settings.waiting_list_offer_hours)
    app = web.App("lms", root_path=str(ROOT / "lms"))
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SESSION_COOKIE_NAME=cookies.full_name("lms", secure=settings.secure),
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        PERMANENT_SESSION_LIFETIME=settings.session_days * 86400,
        MAX_CONTENT_LENGTH=settings.upload_limit_bytes,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies)  # type: ignore[method-assign]
    engine = make_engine(settings.database_url)
    app.extensions["engine"] = engine
    app.extensions["sessions"] = make_sessions(engine)
    app.extensions["autocommit_reads"] = AutocommitReads(make_autocommit_engine(settings.database_url))
    Bootstrap5(app)
    CSRFProtect(app)
    tasks.configure(app, settings)
    web.init_app(app)
    current.init_app(app)
    languages.init_app(app)
    list_addresses.init_app(app)
    limits.init_app(app, settings)
    access.init_app(app)
    app.jinja_env.globals.update(settings=settings, navigation=navigation)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["warm"] = lambda: warm(app)
    _map(app)
    fast_path.share_among_processes(settings.web_workers)
    return app


def warm(app: Flask) -> None:
    """Read ahead what the first request of a web process would wait for. Call it in the process that answers."""
    replica = app.extensions["replica"]
    warming.warm([app.extensions["sessions"], *([replica.session] if replica else [])])


def _map(app: Flask) -> None:
    for prefix, module in BLUEPRINTS:
        app.register_blueprint(import_module(module).blueprint, url_prefix=prefix)
    for module in (*KINDS, *AUDIT_LABELS, *SEALED_COLUMNS, *PERSONAL_DATA, *FIGURES, *MERGING):
        import_module(module)
    for command in COMMANDS:
        module, _, name = command.partition(":")
        app.cli.add_command(getattr(import_module(module), name or "cli"))
    _react()


def _react() -> None:
    """Event → what happens once it is committed."""
    events.react(MessageOwed, message_tasks.enqueue_sending)
    events.react(LinkRequested, account_tasks.enqueue_links)
    events.react(OfferingClosed, issuing_tasks.enqueue_issuing)
    events.react(NameDecided, issuing_tasks.enqueue_decided)
    events.react(PeopleIdentified, issuing_tasks.enqueue_matching)
    events.react(ExportRequested, course_tasks.enqueue_export)
    events.react(ImportRequested, course_tasks.enqueue_import)
    events.react(CertificatesOwed, issuing_tasks.enqueue_issuing)
    events.react(ReissueOwed, issuing_tasks.enqueue_correction)
    events.react(BadgeOwed, issuing_tasks.enqueue_badges)
    events.react(WalletPassOwed, issuing_tasks.enqueue_passes)
    events.react(StatusChanged, issuing_tasks.enqueue_status_lists)
    events.react(ListOwed, issuing_tasks.enqueue_list)
