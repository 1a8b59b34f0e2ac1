"""Celery's entry (`celery -A lms.worker worker`), and the whole schedule."""

import structlog
from celery.schedules import crontab

from courses.tasks import mail_reports, remind_of_sessions, settle_place_offers
from lms.app import create_app
from lms.core.messages.channels import configured
from lms.core.tasks import celery

web = create_app()  # not `app`: Celery would take that name for its own
for channel, target in configured.described(web.config["SETTINGS"]).items():
    structlog.get_logger(__name__).info("message_channel", channel=channel, path=target)

celery.conf.beat_schedule = {
    "send-owed-messages": {"task": "lms.core.messages.tasks.send", "schedule": 60.0},
    "erase-old-messages": {"task": "lms.core.messages.tasks.erase", "schedule": crontab(hour="3", minute="20")},
    "send-password-links": {"task": "lms.accounts.tasks.send_links", "schedule": 60.0},
    "issue-owed-certificates": {"task": "certificates.tasks.sweep", "schedule": 60.0},
    "find-missing-glyphs": {
        "task": "certificates.tasks.find_missing_glyphs",
        "schedule": crontab(hour="4", minute="40"),
    },
    "find-coming-names": {"task": "certificates.tasks.find_coming_names", "schedule": 600.0},
    "match-legacy": {"task": "certificates.tasks.match_legacy", "schedule": crontab(hour="2", minute="30")},
    "make-owed-corrections": {"task": "certificates.tasks.correct", "schedule": 60.0},
    "sign-owed-badges": {"task": "certificates.tasks.sign_badges", "schedule": 60.0},
    "sign-owed-passes": {"task": "certificates.tasks.sign_passes", "schedule": 60.0},
    "seal-records": {"task": "certificates.tasks.seal_records", "schedule": 60.0},
    "sign-status-lists": {"task": "certificates.tasks.sign_status_lists", "schedule": 60.0},
    "verify-lists": {"task": "certificates.tasks.verify_lists", "schedule": 60.0},
    "erase-old-lists": {"task": "certificates.tasks.erase_lists", "schedule": crontab(minute="40")},
    "make-owed-exports": {"task": "courses.tasks.sweep_exports", "schedule": 60.0},
    "remove-old-exports": {"task": "courses.tasks.remove_exports", "schedule": crontab(minute="20")},
    "work-at-imports": {"task": "courses.tasks.sweep_imports", "schedule": 60.0},
    "erase-old-imports": {"task": "courses.tasks.erase_imports", "schedule": crontab(hour="3", minute="40")},
    "find-same-people": {"task": "courses.tasks.find_same_people", "schedule": crontab(hour="1", minute="30")},
    "erase-by-retention": {"task": "courses.tasks.erase_by_retention", "schedule": crontab(hour="4", minute="10")},
    # Each hour of the day, so that a worker that was down in the morning still reminds; nobody is reminded twice.
    "remind-holders": {"task": "certificates.tasks.remind", "schedule": crontab(hour="9-18", minute="5")},
    # From the hour of SESSION_REMINDER_AT on, and the next morning for a worker that was down; nobody is reminded twice.
    "remind-of-sessions": {"task": remind_of_sessions.name, "schedule": crontab(hour="7-20", minute="*/10")},
    "settle-place-offers": {"task": settle_place_offers.name, "schedule": 60.0},
    # A month's first days, for the same reason; each period goes once to each person.
    "mail-reports": {
        "task": mail_reports.name,
        "schedule": crontab(day_of_month="1-7", hour="7-12", minute="15"),
    },
}
