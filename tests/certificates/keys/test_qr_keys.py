"""Keys in the database: replacement once, rotated without harm, and known to a process without asking each time."""

from datetime import date, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from certificates.branch import Branch
from certificates.keys import key_files, qr_keys
from certificates.keys.key_files import private_key_path
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import KeyState
from lms.core.errors import DomainError
from lms.core.transactions import transaction
from tests.certificates.conftest import FIRST, LAST

TODAY = date(2026, 3, 5)


def test_ensuring_twice_at_once_makes_one_key(fresh_database: str, tmp_path: Path) -> None:
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine)

    def ensure() -> None:
        with transaction(sessions) as own:
            qr_keys.ensure(own, tmp_path, not_before=FIRST, not_after=LAST)

    threads = [Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(sessions) as db:
        assert [(key.number, key.kid, key.state) for key in qr_keys.public_keys(db)] == [(1, "qr-1", KeyState.ACTIVE)]
        assert qr_keys.public_keys(db)[0].public_key == key_files.public_bytes(key_files.load(tmp_path, "qr-1"))
    engine.dispose()


def test_a_file_that_was_written_before_a_crash_is_taken(db: Session, tmp_path: Path) -> None:
    public = key_files.create(tmp_path, "qr-1")
    assert qr_keys.ensure(db, tmp_path, not_before=FIRST, not_after=LAST).public_key == public


def test_rotation_ends_the_old_keys_window_and_opens_a_new_one(db: Session, tmp_path: Path) -> None:
    qr_keys.ensure(db, tmp_path, not_before=FIRST, not_after=LAST)
    qr_keys.rotate(db, tmp_path, today=TODAY, not_after=LAST)
    old, new = qr_keys.public_keys(db)
    assert (old.state, old.not_before, old.not_after) == (KeyState.RETIRED, FIRST, TODAY)
    assert (new.number, new.state, new.not_before, new.not_after) == (2, KeyState.ACTIVE, TODAY, LAST)
    assert qr_keys.for_signing(db, tmp_path, TODAY)[0] == 2


def test_a_second_active_key_is_refused(db: Session, tmp_path: Path) -> None:
    qr_keys.create(db, tmp_path, not_before=FIRST, not_after=LAST)
    with pytest.raises(DomainError) as refused:
        qr_keys.create(db, tmp_path, not_before=FIRST, not_after=LAST)
    assert refused.value.code == "signing_key_active"


def test_a_lost_private_key_is_replaced_only_where_that_was_asked_for(db: Session, branch: Branch) -> None:
    private_key_path(branch.keys_dir, "qr-1").unlink()
    with pytest.raises(DomainError) as refused:
        qr_keys.ensure(db, branch.keys_dir, not_before=TODAY, not_after=LAST)
    assert refused.value.code == "signing_key_missing"
    replacement = qr_keys.ensure(db, branch.keys_dir, not_before=TODAY, not_after=LAST, replace_lost=True)
    assert replacement.number == 2


def test_another_keys_file_does_not_sign(db: Session, branch: Branch) -> None:
    path = private_key_path(branch.keys_dir, "qr-1")
    path.unlink()
    key_files.create(branch.keys_dir, "qr-1")
    with pytest.raises(DomainError) as refused:
        qr_keys.for_signing(db, branch.keys_dir, TODAY)
    assert refused.value.code == "signing_key_mismatch"


def test_the_ring_asks_once_and_soon_again_for_a_number_it_does_not_know(
    db: Session, branch: Branch, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("certificates.keys.qr_keys.time.monotonic", lambda: moment[0])
    ring = PublicKeyCache()
    db.flush()
    statements.clear()
    assert ring.get(db, 1) is not None
    assert ring.get(db, 1) is not None
    assert ring.get(db, 9) is None
    assert len(statements) == 1
    moment[0] += PublicKeyCache.MIN_AGE
    assert ring.get(db, 9) is None
    assert ring.get(db, 9) is None
    assert len(statements) == 2
    moment[0] += PublicKeyCache.MAX_AGE
    assert ring.get(db, 1) is not None
    assert len(statements) == 3


def test_a_window_of_a_year_meets_the_next() -> None:
    first, last = qr_keys.window(TODAY, qr_keys.DEFAULT_DAYS)
    assert (first, last) == (TODAY, TODAY + timedelta(days=365))
