"""Celery tasks. A task takes ids, calls one rule and returns; its transaction is committed once, here.

A message of the queue may be lost or delivered twice. Neither does harm, because a task finds the pending work in the
database.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from celery import Celery
from flask import Flask, current_app, has_app_context
from kombu.exceptions import OperationalError

from lms.config import Settings
from lms.core.transactions import transaction

log = structlog.get_logger(__name__)

celery = Celery("lms")


class _Worker:
    """The Flask application in whose context the tasks of this process run."""

    app: Flask | None = None


def configure(app: Flask, settings: Settings) -> None:
    """Configure Celery from the settings. No result backend is set: results are rows of the database."""
    _Worker.app = app
    celery.conf.update(
        broker_url=settings.celery_broker_url,
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        enable_utc=True,
        timezone=settings.time_zone,
    )


def task(function: Callable[..., None]) -> Any:
    """Decorate a function as a Celery task.

    It gets a session first, committed when it returns and rolled back when it raises.
    """

    @celery.task(name=f"{function.__module__}.{function.__name__}")
    @wraps(function)
    def run(*args: Any) -> None:
        if has_app_context():
            _run(function, args)
            return
        if _Worker.app is None:
            raise RuntimeError("lms.core.tasks.configure was not called")
        with _Worker.app.app_context():
            _run(function, args)

    return run


def _run(function: Callable[..., None], args: tuple[Any, ...]) -> None:
    with transaction(current_app.extensions["sessions"]) as db:
        function(db, *args)


def enqueue(celery_task: Any, *args: Any) -> None:
    """Send a task to the queue.

    While the broker is down, the work stays pending and the schedule finds it within a minute.
    """
    try:
        celery_task.apply_async(args=args)
    except (OperationalError, OSError) as error:
        log.warning("broker_unreachable", task=celery_task.name, error=type(error).__name__)
