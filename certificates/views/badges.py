"""What programs and people need to read a badge: the issuer's keys and profile, what was achieved, and the picture."""

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from certificates import badges, credentials
from certificates.branch import Branch
from lms.core.access import public
from lms.core.limits import limiter
from lms.core.web import db

blueprint = Blueprint("badges", __name__)

LIMIT = "60/minute"
MINUTES = 300  # seconds that others may keep an answer


@blueprint.get("/.well-known/did.json")
@public
@limiter.limit(LIMIT)
def did() -> ResponseReturnValue:
    """The `did:web` document: the keys that verify badges and status lists."""
    return _open(badges.did_document(db(), _branch()), "application/did+json")


@blueprint.get("/badges/issuer")
@public
@limiter.limit(LIMIT)
def issuer() -> ResponseReturnValue:
    """The issuer's profile."""
    branch = _branch()
    body = credentials.profile(branch.public_url, branch.name_zh, branch.name_en)
    return _open({"@context": list(credentials.CONTEXTS[:2]), **body}, "application/ld+json")


@blueprint.get("/badges/achievements/<int:certificate_type>")
@public
@limiter.limit(LIMIT)
def achievement(certificate_type: int) -> ResponseReturnValue:
    """What was achieved, for people."""
    return render_template("badges/achievement.html", course=badges.course_of(db(), certificate_type))


@blueprint.get("/badges/<digits>.png")
@public
@limiter.limit(LIMIT)
def picture(digits: str) -> ResponseReturnValue:
    """A badge's picture, which names the programme and the year and nobody."""
    response = Response(badges.image(badges.certificate_of(db(), digits), _branch()), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _open(body: dict[str, object], media_type: str) -> Response:
    """An answer for programs anywhere."""
    response = jsonify(body)
    response.content_type = media_type
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={MINUTES}"
    return response


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
