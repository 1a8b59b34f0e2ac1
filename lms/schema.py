"""Every table of the system in one place, for the migrations; nothing else loads all models at once."""

from importlib import import_module

from sqlalchemy import MetaData

from lms.core.db import Base

MODELS = (
    "lms.core.audit",
    "lms.core.retention_rules",
    "lms.core.messages.models",
    "lms.accounts.models",
    "lms.organisations.models",
    "instructors.models",
    "courses.models.catalogue",
    "courses.models.offerings",
    "courses.models.training_requests",
    "courses.models.trainees",
    "courses.models.enrolment",
    "courses.models.name_writings",
    "courses.models.proposals",
    "courses.models.privacy",
    "courses.models.merges",
    "courses.models.daily_counts",
    "courses.models.walk_ins",
    "courses.models.attendance",
    "courses.models.self_check_in",
    "courses.models.spot_check",
    "courses.models.closing_requests",
    "courses.models.class_messages",
    "courses.models.session_events",
    "courses.models.assessment",
    "courses.models.person_time",
    "courses.models.quarters",
    "courses.models.rollups",
    "courses.models.targets",
    "courses.models.report_mails",
    "courses.models.population",
    "courses.models.opening_balances",
    "courses.models.exports",
    "courses.models.saved_views",
    "courses.models.imports",
    "certificates.models",
    "certificates.layouts.models",
    "certificates.legacy.models",
    "certificates.records.models",
    "certificates.second_names.models",
    "certificates.wallets.models",
)

for module in MODELS:
    import_module(module)

TARGET: MetaData = Base.metadata
