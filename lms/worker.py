"""Celery's entry (`celery -A lms.worker worker`), and the whole schedule."""

from lms.app import create_app
from lms.core.tasks import celery

web = create_app()  # not `app`: Celery would take that name for its own

celery.conf.beat_schedule = {
    "send-owed-mails": {"task": "lms.core.mail_tasks.send_owed", "schedule": 60.0},
    "issue-owed-certificates": {"task": "certificates.tasks.sweep", "schedule": 60.0},
}
