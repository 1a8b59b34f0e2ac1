"""Published blocks of the tables of record, so that copies of them are kept elsewhere. Any origin may read them."""

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from certificates.records import blocks, heads
from certificates.records.heads import PublishedBlock
from certificates.verification.views.status_lists import CACHE_SECONDS, LIMIT, open_to_all
from lms.core.access import public
from lms.core.db import LARGEST_ID
from lms.core.headers import cacheable
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads

blueprint = Blueprint("sealed_records", __name__)

HEAD_SECONDS = 60  # a new block may follow each minute


@blueprint.get("/status/records")
@public
@limiter.limit(LIMIT)
@cacheable
def index() -> ResponseReturnValue:
    """List the last block of each table: number, digest, moment and address."""
    newest = [_summary(head) for head in heads.newest(autocommit_reads())]
    return open_to_all(jsonify(heads=newest), HEAD_SECONDS)


@blueprint.get("/status/records/<table>")
@public
@limiter.limit(LIMIT)
@cacheable
def latest(table: str) -> ResponseReturnValue:
    """Serve the last block of a table as the worker signed it."""
    return _served(heads.block(autocommit_reads(), table), HEAD_SECONDS)


@blueprint.get("/status/records/<table>/<int:number>")
@public
@limiter.limit(LIMIT)
@cacheable
def block(table: str, number: int) -> ResponseReturnValue:
    """Serve a block of a table as the worker signed it. It never changes."""
    known = heads.block(autocommit_reads(), table, number) if 0 < number <= LARGEST_ID else None
    return _served(known, CACHE_SECONDS)


def _served(known: PublishedBlock | None, seconds: int) -> Response:
    if known is None:
        abort(404)
    response = Response(known.document, mimetype=blocks.MEDIA_TYPE)
    response.last_modified = known.sealed_at
    response.add_etag()
    response.make_conditional(request)
    return open_to_all(response, seconds)


def _summary(head: PublishedBlock) -> dict[str, object]:
    base = current_app.config["SETTINGS"].public_url
    return {
        "table": head.table,
        "number": head.number,
        "digest": head.digest,
        "sealedAt": head.sealed_at.isoformat(),
        "address": f"{base}/status/records/{head.table}/{head.number}",
    }
