"""Shared by the tests of the house."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from certificates import badges
from lms.core.access import PUBLIC_ENDPOINTS


@pytest.fixture
def rules(app: Flask) -> list[Rule]:
    """Every route of the system."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC_ENDPOINTS]


@pytest.fixture(autouse=True)
def _no_wait_for_badges(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker signs badges here, so a walk over all routes need not wait for one."""
    monkeypatch.setattr(badges, "MAX_WAIT", 0.0)
