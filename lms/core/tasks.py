"""The queue. A task takes ids, calls one rule, returns; its transaction commits once, here.

A message may be lost or come twice: tasks find what is owed in the database, so neither matters.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from celery import Celery
from flask import Flask, current_app, has_app_context
from kombu.exceptions import OperationalError

from lms.config import Settings
from lms.core.db import transaction

log = structlog.get_logger(__name__)

celery = Celery("lms")


class _Home:
    """The application in which a worker's tasks run."""

    app: Flask | None = None


def configure(app: Flask, settings: Settings) -> None:
    """Point the queue at the broker of the settings. No results are kept: the database is where results are."""
    _Home.app = app
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
    """A Celery task with a session as its first argument, committed when it returns and rolled back when it raises."""

    @celery.task(name=f"{function.__module__}.{function.__name__}")
    @wraps(function)
    def run(*args: Any) -> None:
        if has_app_context():
            _run(function, args)
            return
        if _Home.app is None:
            raise RuntimeError("lms.core.tasks.configure was not called")
        with _Home.app.app_context():
            _run(function, args)

    return run


def _run(function: Callable[..., None], args: tuple[Any, ...]) -> None:
    with transaction(current_app.extensions["sessions"]) as db:
        function(db, *args)


def ring(celery_task: Any, *args: Any) -> None:
    """Wake a worker. When the broker cannot be reached the work stays owed and the schedule finds it within a minute."""
    try:
        celery_task.apply_async(args=args)
    except (OperationalError, OSError) as error:
        log.warning("broker_unreachable", task=celery_task.name, error=type(error).__name__)
