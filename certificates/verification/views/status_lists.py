"""Published keys and signed status lists, for programs that verify without our server. Any origin may read them."""

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from certificates import credentials
from certificates.keys import issuer_keys
from certificates.keys.public_keys import jwk, jwks
from certificates.verification import status_lists, type_table
from lms.core.access import public
from lms.core.headers import cacheable
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads, db

blueprint = Blueprint("status", __name__)

LIMIT = "60/minute"
CACHE_SECONDS = 300


@blueprint.get("/.well-known/jwks.json")
@public
@limiter.limit(LIMIT)
@cacheable
def key_set() -> ResponseReturnValue:
    """Serve the published keys: those for QR codes with window and state, and those for badges and status lists.

    Each of the latter stands there twice: by its name and by the address that the `kid` of our tokens has, for programs that
    find the key of a token by its `kid`.
    """
    published = jwks(current_app.extensions["public_key_cache"].all(autocommit_reads()))
    issuer = credentials.did_of(current_app.config["SETTINGS"].public_url)
    published["keys"] += [
        jwk(kid, key.public_key, key.state, key.compromised_at)
        for key in issuer_keys.public_keys(db())
        for kid in (key.kid, issuer_keys.method(key, issuer))
    ]
    return open_to_all(jsonify(published))


@blueprint.get(type_table.PATH)
@public
@limiter.limit(LIMIT)
@cacheable
def certificate_types() -> ResponseReturnValue:
    """Serve the signed table of certificate types and issuing units as the worker stored it."""
    stored = status_lists.signed_list(autocommit_reads(), type_table.PURPOSE, 0)
    if stored is None:
        abort(404)
    response = jsonify(type_table.as_json(stored.document))
    response.last_modified = stored.made_at
    response.add_etag()
    return open_to_all(response).make_conditional(request)


@blueprint.get("/status/<any(revocation, superseded):purpose>/<int:number>")
@public
@limiter.limit(LIMIT)
@cacheable
def signed_list(purpose: str, number: int) -> ResponseReturnValue:
    """Serve a signed list as the worker stored it."""
    stored = status_lists.signed_list(autocommit_reads(), purpose, number) if number < 1 << 15 else None
    if stored is None:
        abort(404)
    response = Response(stored.document, mimetype=f"application/{status_lists.MEDIA_TYPE}")
    response.last_modified = stored.made_at
    response.add_etag()
    return open_to_all(response).make_conditional(request)


def open_to_all(response: Response, seconds: int = CACHE_SECONDS) -> Response:
    """Let pages of any origin read the answer, and caches keep it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response
