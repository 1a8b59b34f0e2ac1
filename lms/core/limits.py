"""Request limits: counted in Redis where there is one (falling back to memory when it is away), else in memory."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from lms.config import Settings

limiter = Limiter(get_remote_address, strategy="moving-window", headers_enabled=False)


def init_app(app: Flask, settings: Settings) -> None:
    """Start counting; a view names its own limits with `limiter.limit`."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.limits_storage_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=settings.redis_url is not None,
        RATELIMIT_KEY_PREFIX="lms",
    )
    limiter.init_app(app)
