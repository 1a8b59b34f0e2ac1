"""Database access of a request: its session, its autocommit reads, and the replica for reports.

Sessions are closed with it.
"""

from flask import Flask, current_app, g, has_request_context, request
from flask import session as cookie_session
from flask_login import current_user
from sqlalchemy.orm import Session

from lms.core import access, audit, clock, events, transactions
from lms.core.autocommit import AutocommitReads
from lms.core.replica import Freshness, Replica, Unavailable, WritePosition

_WRITTEN = "written"  # the key of the write position in the cookie session


def db() -> Session:
    """The SQLAlchemy session of this request, opened at the first call. The request commits it once, at its edge."""
    if "db" not in g:
        g.db = current_app.extensions["sessions"]()
        audit.act_as(g.db, None)
        audit.come_from(g.db, _origin)
    session: Session = g.db
    if audit.actor(session) is None and "acting" not in g:
        g.acting = True
        audit.act_as(session, current_user.id if current_user.is_authenticated else None)
    return session


def autocommit_reads() -> AutocommitReads:
    """Single reads, outside any transaction."""
    reads: AutocommitReads = current_app.extensions["autocommit_reads"]
    return reads


def report_db() -> Session:
    """The session for reports and exports: on the replica where one is available, else `db()`.

    A request that may change something reads from the primary. The audit trail and the signed-in user always do.
    """
    replica = _replica()
    if replica is None or request.method not in access.SAFE_METHODS:
        return db()
    if "report_freshness" not in g:
        g.report_freshness = replica.freshness(_write_position())
        if g.report_freshness.from_replica:
            g.report_db = replica.session()
    return g.report_db if "report_db" in g else db()


def report_freshness() -> Freshness | None:
    """How fresh the data of this request's report is; None where there is no replica or nothing was read."""
    freshness: Freshness | None = g.get("report_freshness")
    return freshness


def fell_back_to_primary(error: Exception) -> bool:
    """Tell whether the replica failed during this request. Then the view can run again, and `report_db` is the primary's."""
    replica = _replica()
    if replica is None or "report_db" not in g or not replica.lost(error):
        return False
    roll_back()
    g.pop("report_db").close()
    g.report_freshness = Freshness(clock.now(), unavailable=Unavailable.GONE)
    return True


def commit() -> None:
    """Commit what this request wrote, if it opened a session.

    The write position goes into the browser's cookie, so that the next report includes what was saved, whichever web
    server answers.
    """
    if "db" in g:
        transactions.commit(g.db)
        _remember_write_position()


def roll_back() -> None:
    """Roll back what this request wrote, and discard the events that it published."""
    if "db" in g:
        g.db.rollback()
        events.discard(g.db)


def _origin() -> audit.Origin:
    if not has_request_context():
        return audit.Origin()
    return audit.Origin(request.remote_addr or "", request.headers.get("User-Agent", ""))


def _replica() -> Replica | None:
    replica: Replica | None = current_app.extensions["replica"]
    return replica


def _remember_write_position() -> None:
    replica = _replica()
    if replica is None or "fast_path" in g or request.method in access.SAFE_METHODS or not cookie_session:
        return
    written = replica.written()
    if written is not None:
        cookie_session[_WRITTEN] = [written.position, written.at]


def _write_position() -> WritePosition | None:
    written = cookie_session.get(_WRITTEN)
    return WritePosition(*written) if written else None


def _close(_error: BaseException | None) -> None:
    for name in ("report_db", "db"):
        session: Session | None = g.pop(name, None)
        if session is not None:
            session.close()


def init_app(app: Flask) -> None:
    """Connect to the replica, if the settings name one, and close what a request opened when its context ends."""
    settings = app.config["SETTINGS"]
    address = settings.database_replica_url
    app.extensions["replica"] = (
        Replica(address, app.extensions["engine"], limit=settings.replica_limit_seconds) if address else None
    )
    app.jinja_env.globals.update(report_freshness=report_freshness)
    app.teardown_appcontext(_close)
