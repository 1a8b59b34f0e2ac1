"""Public pages and documents of badges: the issuer's keys and profile, the achievement, and the image."""

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from certificates import badges, credentials
from certificates.branch import Branch
from lms.core.access import public
from lms.core.headers import cacheable
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("badges", __name__)

LIMIT = "60/minute"
CACHE_SECONDS = 300


@blueprint.get("/.well-known/did.json")
@public
@limiter.limit(LIMIT)
@cacheable
def did() -> ResponseReturnValue:
    """Serve the `did:web` document: the keys that verify badges and status lists."""
    return _open(badges.did_document(db(), _branch()), "application/did+json")


@blueprint.get("/badges/issuer")
@public
@limiter.limit(LIMIT)
@cacheable
def issuer() -> ResponseReturnValue:
    """Serve the issuer's profile."""
    branch = _branch()
    body = credentials.profile(branch.public_url, branch.name_zh, branch.name_en)
    return _open({"@context": list(credentials.CONTEXTS[:2]), **body}, "application/ld+json")


@blueprint.get("/badges/achievements/<int(max=255):certificate_type>")
@public
@limiter.limit(LIMIT)
def achievement(certificate_type: int) -> ResponseReturnValue:
    """Show what a badge stands for, for people."""
    return render_template("badges/achievement.html", course=badges.course_of(db(), certificate_type))


@blueprint.get("/badges/<digits>.png")
@public
@limiter.limit(LIMIT)
@cacheable
def picture(digits: str) -> ResponseReturnValue:
    """Serve the badge's image, which names the programme and the year and no person."""
    response = Response(badges.image(badges.certificate_of(db(), digits), _branch()), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _open(body: dict[str, object], media_type: str) -> Response:
    """Return JSON that scripts of any origin may read and caches may keep."""
    response = jsonify(body)
    response.content_type = media_type
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return response


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
