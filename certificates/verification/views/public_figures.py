"""The public figures of the frozen quarters: a page, a CSV file, and the signed document that both are made from."""

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from certificates.verification import public_figures, status_lists, type_table
from certificates.verification.public_figures import PublishedFigures
from certificates.verification.status_lists import SignedList
from certificates.verification.views.status_lists import CACHE_SECONDS, LIMIT, open_to_all
from courses.counting.frozen_figures import ALL_DISTRICTS, ALL_PROGRAMMES
from courses.counting.rule import RULE
from lms.core.access import public
from lms.core.headers import cacheable
from lms.core.languages import language, whole
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads

blueprint = Blueprint("public_figures", __name__)


@blueprint.get("/figures")
@public
@limiter.limit(LIMIT)
def page() -> str:
    """Show the figures of one frozen quarter, the latest unless another is chosen, by programme and by district."""
    stored = _stored()
    figures = public_figures.read(stored.document) if stored is not None else None
    quarters = list(figures.rows) if figures is not None else []
    chosen = request.args.get("quarter", "")
    quarter = chosen if chosen in quarters else next(iter(quarters), None)
    programme = request.args.get("programme", ALL_PROGRAMMES)
    rows = figures.rows[quarter] if figures is not None and quarter is not None else []
    known = figures is not None and programme in figures.programmes
    return render_template(
        "figures/page.html",
        quarters=quarters,
        quarter=quarter,
        frozen_at=figures.frozen_at[quarter][:10] if figures is not None and quarter is not None else None,
        programmes={
            code: names[language()] for code, names in (figures.programmes if figures is not None else {}).items()
        },
        programme=programme if known else ALL_PROGRAMMES,
        by_programme=[row for row in rows if row.district == ALL_DISTRICTS],
        by_district=[row for row in rows if row.programme == (programme if known else ALL_PROGRAMMES)],
        district_name=lambda number: _district(figures, number),
        rule=RULE,
        digest=figures.csv_digest if figures is not None else None,
        signed_path=public_figures.PATH,
        whole=whole,
        hours=lambda minutes: f"{minutes / 60:,.1f}",
    )


@blueprint.get(public_figures.CSV_PATH)
@public
@limiter.limit(LIMIT)
@cacheable
def file() -> ResponseReturnValue:
    """Serve all rows of all frozen quarters. The signed document holds the SHA-256 of this file."""
    stored = _stored() or abort(404)
    response = Response(public_figures.read(stored.document).csv(), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="figures.csv"'
    return _kept(response, stored)


@blueprint.get(public_figures.PATH)
@public
@limiter.limit(LIMIT)
@cacheable
def signed() -> ResponseReturnValue:
    """Serve the signed figures as the worker stored them."""
    stored = _stored() or abort(404)
    return _kept(jsonify(type_table.as_json(stored.document)), stored)


def _stored() -> SignedList | None:
    return status_lists.signed_list(autocommit_reads(), public_figures.PURPOSE, 0)


def _kept(response: Response, stored: SignedList) -> Response:
    response.last_modified = stored.made_at
    response.add_etag()
    open_to_all(response, CACHE_SECONDS).make_conditional(request)
    return response


def _district(figures: PublishedFigures | None, number: int) -> str:
    names = figures.districts.get(number) if figures is not None else None
    return names[language()] if names else str(number)
