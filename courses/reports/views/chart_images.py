"""The response that carries a chart, and whether the request comes from a phone."""

from flask import Response, request

from courses.reports import charts


def svg_response(svg: bytes) -> Response:
    """The response with an SVG image, with a content security policy of its own: it loads nothing and runs nothing."""
    answer = Response(svg, mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = charts.CONTENT_SECURITY_POLICY
    return answer


def is_narrow() -> bool:
    """True if the chart is for a phone (`narrow=1` in the query string)."""
    return request.args.get("narrow") == "1"
