"""Long lists: the worker verifies them piece by piece, and their sender fetches the results by a token.

A list names strangers' employees, so its content is sealed at rest and deleted a day after it was sent. Only one piece is
verified at a time, and pieces of all lists take turns, so that no queue of lists keeps the worker from its other tasks.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from certificates.events import ListOwed
from certificates.legacy.legacy import PublicLegacyCertificate
from certificates.number import NumberScheme
from certificates.states import UNREADABLE, State
from certificates.verification import bulk
from certificates.verification.bulk import BulkItem, BulkResult
from certificates.verification.list_files import ListFile
from certificates.verification.models import ANSWERS_COLUMN, ITEMS_COLUMN, SOURCE_COLUMN, ListCheck, ListCheckPiece
from certificates.verification.verification import PublicCertificate, PublicKeys, Verdict
from lms.core import clock, crypto, events, retention_rules
from lms.core.errors import N_, DomainError, NotFound

PIECE = 50
RETENTION = "list_check"
MOST_WAITING = 20
MOST_KEPT = 500
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtext('list_check'))")


@dataclass(frozen=True)
class Progress:
    """The progress of a list: about how many of its items are verified, and until when the list is kept."""

    check_id: int
    size: int
    done: int
    is_finished: bool
    kept_until: datetime


def begin(db: Session, source: ListFile) -> str:
    """Store a list for the worker, and return the token by which its sender finds it; the token is stored nowhere.

    Raises DomainError `lists_busy` where too many lists wait, or too many are kept.
    """
    waiting = select(func.count(ListCheckPiece.check_id.distinct())).where(ListCheckPiece.answers.is_(None))
    if (db.scalar(waiting) or 0) >= MOST_WAITING or (db.scalar(select(func.count(ListCheck.id))) or 0) >= MOST_KEPT:
        raise DomainError(
            "lists_busy",
            N_("Many lists are being verified at the moment. Send yours again in some minutes."),
            status=503,
        )
    token = crypto.token()
    check = ListCheck(token_hash=crypto.token_hash(token), size=len(source.items), source=b"")
    db.add(check)
    db.flush()
    cipher = crypto.cipher()
    about = {name: value for name, value in vars(source).items() if name != "items"}
    check.source = cipher.encrypt(SOURCE_COLUMN, check.ref, json.dumps(about, ensure_ascii=False))
    for number, start in enumerate(range(0, len(source.items), PIECE)):
        content = json.dumps([asdict(item) for item in source.items[start : start + PIECE]], ensure_ascii=False)
        sealed = cipher.encrypt(ITEMS_COLUMN, ListCheckPiece.binding(check.ref, number), content)
        db.add(ListCheckPiece(check_id=check.id, number=number, items=sealed))
    db.flush()
    events.publish(db, ListOwed())
    return token


def work(db: Session, *, today: date, keys: PublicKeys, scheme: NumberScheme) -> bool:
    """Verify the next piece, unless another worker is at one. Return True when a piece was verified and another waits.

    The first pieces of all lists come before the second ones. A worker that dies leaves its piece as it was.
    """
    if not db.scalar(_ONE_AT_A_TIME):
        return False
    waiting = select(ListCheckPiece).where(ListCheckPiece.answers.is_(None))
    in_turn = waiting.order_by(ListCheckPiece.number, ListCheckPiece.check_id)
    piece = db.scalars(in_turn.limit(1).with_for_update(skip_locked=True)).one_or_none()
    if piece is None:
        return False
    cipher, binding = crypto.cipher(), ListCheckPiece.binding(_ref(db, piece.check_id), piece.number)
    items = [BulkItem(**item) for item in json.loads(cipher.decrypt(ITEMS_COLUMN, binding, piece.items))]
    results = _verified(db, items, today=today, keys=keys, scheme=scheme)
    content = json.dumps([_as_json(result) for result in results], ensure_ascii=False)
    piece.answers = cipher.encrypt(ANSWERS_COLUMN, binding, content)
    db.flush()
    return db.scalar(select(waiting.exists())) or False


def progress(db: Session, token: str) -> Progress:
    """Return how far a list is. Raises NotFound for a token of no list, and of one that is too old."""
    check, kept_until = _check_of(db, token)
    counts = select(func.count(), func.count(ListCheckPiece.answers)).where(ListCheckPiece.check_id == check.id)
    pieces, answered = db.execute(counts).one()
    done = min(check.size, answered * -(-check.size // pieces))
    return Progress(check.id, check.size, done, pieces == answered, kept_until)


def results(db: Session, token: str) -> tuple[ListFile, list[BulkResult]]:
    """Return a finished list and its results, in order. Raises NotFound, and DomainError `list_unfinished`."""
    check, _ = _check_of(db, token)
    cipher = crypto.cipher()
    answered: list[BulkResult] = []
    of_list = select(ListCheckPiece).where(ListCheckPiece.check_id == check.id).order_by(ListCheckPiece.number)
    for piece in db.scalars(of_list):
        if piece.answers is None:
            raise DomainError("list_unfinished", N_("The list is still being verified."))
        binding = ListCheckPiece.binding(check.ref, piece.number)
        items = json.loads(cipher.decrypt(ITEMS_COLUMN, binding, piece.items))
        answers = json.loads(cipher.decrypt(ANSWERS_COLUMN, binding, piece.answers))
        answered += [_of_json(BulkItem(**item), answer) for item, answer in zip(items, answers, strict=True)]
    about = json.loads(cipher.decrypt(SOURCE_COLUMN, check.ref, check.source))
    return ListFile(items=[result.item for result in answered], **about), answered


def remove(db: Session, token: str) -> None:
    """Delete a list at its sender's wish. A list that is no longer there is no error."""
    db.execute(delete(ListCheck).where(ListCheck.token_hash == crypto.token_hash(token)))


def erase_old(db: Session) -> int:
    """Delete the lists whose time is over, and return their number."""
    before = retention_rules.before(db, RETENTION)
    result: Any = db.execute(delete(ListCheck).where(ListCheck.made_at <= before)) if before else None
    return result.rowcount if result is not None else 0


def _check_of(db: Session, token: str) -> tuple[ListCheck, datetime]:
    check = db.scalars(select(ListCheck).where(ListCheck.token_hash == crypto.token_hash(token))).one_or_none()
    period = retention_rules.period(db, RETENTION)
    if check is None or period is None or check.made_at + period <= clock.now():
        raise NotFound(
            "list_gone", N_("This list is no longer here: lists are deleted a day after they were sent. Send it again.")
        )
    return check, check.made_at + period


def _ref(db: Session, check_id: int) -> Any:
    return db.scalars(select(ListCheck.ref).where(ListCheck.id == check_id)).one()


def _verified(db: Session, items: Sequence[BulkItem], **with_: Any) -> list[BulkResult]:
    """The results of a piece. An item that the database refuses is answered alone, and keeps no other from its answer."""
    try:
        with db.begin_nested():
            return list(bulk.verify(db, items, **with_))
    except DataError:
        if len(items) == 1:
            return [BulkResult(items[0], Verdict(State.UNKNOWN, UNREADABLE), None)]
        return [result for item in items for result in _verified(db, [item], **with_)]


def _as_json(result: BulkResult) -> dict[str, Any]:
    verdict, legacy = result.verdict, result.legacy
    certificate = asdict(verdict.certificate) | _days(verdict.certificate) if verdict.certificate else None
    return {
        "state": verdict.state,
        "reason": verdict.reason,
        "successor": verdict.successor,
        "certificate": certificate,
        "legacy": asdict(legacy) | _days(legacy) if legacy else None,
        "fits": result.name_matches,
        "check": result.check,
    }


def _days(certificate: PublicCertificate | PublicLegacyCertificate) -> dict[str, str | None]:
    last = certificate.valid_until
    return {"issued_on": certificate.issued_on.isoformat(), "valid_until": last.isoformat() if last else None}


def _of_json(item: BulkItem, answer: dict[str, Any]) -> BulkResult:
    signed, legacy = answer["certificate"], answer["legacy"]
    verdict = Verdict(
        State(answer["state"]),
        answer["reason"],
        certificate=PublicCertificate(**_with_days(signed)) if signed else None,
        successor=answer["successor"],
    )
    known = PublicLegacyCertificate(**_with_days(legacy) | {"state": State(legacy["state"])}) if legacy else None
    return BulkResult(item, verdict, answer["fits"], known, answer["check"])


def _with_days(facts: dict[str, Any]) -> dict[str, Any]:
    last = facts["valid_until"]
    return facts | {
        "issued_on": date.fromisoformat(facts["issued_on"]),
        "valid_until": date.fromisoformat(last) if last else None,
    }
