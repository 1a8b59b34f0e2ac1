"""The language of pages: each public page follows the browser."""

import re

from flask import Flask
from werkzeug.routing import Rule

from lms.core.access import guard_of
from tests.architecture.routes import address, anything, methods


def test_each_public_page_takes_the_language_of_the_browser(app: Flask, rules: list[Rule]) -> None:
    """Also the pages of the fast path, which are rendered once and filled in."""
    pages = set()
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if not (guard and guard.anyone) or "GET" not in methods(rule):
            continue
        path = address(app, rule, anything(rule))
        told = {}
        for header in ("fr-FR, fr;q=0.9, *;q=0.5", "", "zh-CN"):
            answer = app.test_client().get(path, headers={"Accept-Language": header} if header else {})
            told[header] = re.findall(r'<html lang="([^"]+)"', answer.text) if answer.mimetype == "text/html" else []
            answer.close()
        if not any(told.values()):
            continue
        pages.add(rule.endpoint)
        assert list(told.values()) == [["en"], ["zh-Hans"], ["zh-Hans"]], path
    assert pages >= {
        "verification.page",
        "verification.find",
        "public_offerings.month",
        "ask_training.page",
        "home.page",
    }
