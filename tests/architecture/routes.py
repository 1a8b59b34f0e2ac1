"""Routes of the map, and addresses that lead to them."""

from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule

# Arguments that name no row of a district: lists of values, catalogues, unguessable texts, and rows that are looked up
# within a row of this table that comes earlier in the address.
NOT_OF_A_DISTRICT = {
    "kind", "digest", "year", "source_id", "legacy_id", "form", "line", "code", "course_id", "format", "ref", "version",
    "unit",
}  # fmt: skip


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def anything(rule: Rule) -> dict[str, Any]:
    """Arguments that lead to a route, if to no row; what a device has made bears an id of the device's."""
    return {name: UUID(int=1) if name == "event_id" else 1 for name in rule.arguments}


def address(app: Flask, rule: Rule, ids: dict[str, Any]) -> str:
    """A route's path with the given values; the fixed words of an `any()` are taken from the route."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        if hasattr(converter, "items"):
            values[name] = next(iter(converter.items))
        elif name in ids:
            values[name] = ids[name]
        else:
            assert name in NOT_OF_A_DISTRICT, (
                f"{rule.rule}: say in `elsewhere` which row of another district {name} names"
            )
            values[name] = 1
    return str(app.url_map.bind("localhost").build(rule.endpoint, values, method=next(iter(methods(rule)))))
