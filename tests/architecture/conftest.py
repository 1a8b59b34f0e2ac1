"""Shared by the tests of the house."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from lms.core.access import PUBLIC_ENDPOINTS


@pytest.fixture
def rules(app: Flask) -> list[Rule]:
    """Every route of the system."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC_ENDPOINTS]
