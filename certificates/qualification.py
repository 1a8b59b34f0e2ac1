"""The qualification that a certificate certifies: that of its type, so that a renewed certificate is not called a refresher.

The facts of a certificate that a refresher gave have it beside the course that was taken. Other certificates, and those that
were issued before it was recorded, certify their course.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func

from certificates.models import Certificate


@dataclass(frozen=True, slots=True)
class Qualification:
    """The names of what was certified, and its class hours as text, such as "16" or "7.5"."""

    name_zh: str
    name_en: str
    hours: str

    def name(self, language: str) -> str:
        """Return the name in a language, "zh" or "en"."""
        return self.name_en if language == "en" else self.name_zh


def of_facts(facts: Mapping[str, Any]) -> Qualification:
    """Return what a certificate with these facts certifies."""
    hours: str = facts.get("qualification_hours", facts["hours"])
    return Qualification(*names(facts), hours.removesuffix(".0"))


def names(facts: Mapping[str, Any]) -> tuple[str, str]:
    """Return the Chinese and the English name of what is certified."""
    source = "qualification" if "qualification_zh" in facts else "course"
    return facts[f"{source}_zh"], facts[f"{source}_en"]


def column(language: str) -> ColumnElement[Any]:
    """Return the name in a language, "zh" or "en", as SQL over Certificate."""
    return func.coalesce(
        Certificate.facts[f"qualification_{language}"].astext, Certificate.facts[f"course_{language}"].astext
    )
