"""The description of the interface for programs."""

import pytest

from lms.core import openapi


def test_an_area_adds_its_paths_and_schemas_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "_paths", {})
    monkeypatch.setattr(openapi, "_schemas", dict(openapi._schemas))
    for _ in range(2):
        openapi.describe(paths={"/api/v1/x": {"get": {}}}, schemas={"X": {"type": "object"}})
    document = openapi.document("https://training.example.org", "Training")
    assert document["openapi"] == "3.1.0"
    assert document["paths"] == {"/api/v1/x": {"get": {}}}
    assert {"Problem", "X"} <= set(document["components"]["schemas"])


def test_refusals_are_problem_documents() -> None:
    refusals = openapi.refusals(404, 429)
    assert list(refusals) == ["404", "429"]
    assert all("application/problem+json" in refusal["content"] for refusal in refusals.values())
