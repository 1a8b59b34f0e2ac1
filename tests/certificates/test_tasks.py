"""The bell, the chunks, and what happens without a key."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import structlog
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from certificates import badges, issuing, tasks
from certificates.events import CertificatesOwed
from certificates.keys import qr_keys
from certificates.keys.key_files import private_key_path
from certificates.models import Certificate
from courses.events import OfferingClosed
from lms.app import create_app
from lms.config import Settings
from lms.core import events
from lms.core.transactions import commit, transaction
from tests.certificates.conftest import FIRST, LAST, closed_offering, owe
from tests.factories import Make


@pytest.fixture
def system(fresh_database: str, settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database of its own, where tasks really commit."""
    made = create_app(settings.model_copy(update={"database_url": fresh_database, "keys_dir": tmp_path / "keys"}))
    with made.app_context():
        with transaction(made.extensions["sessions"]) as db:
            qr_keys.ensure(db, tmp_path / "keys", not_before=FIRST, not_after=LAST)
        yield made
    made.extensions["engine"].dispose()


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[object, ...]]]:
    """The tasks that were enqueued."""
    calls: list[tuple[str, tuple[object, ...]]] = []
    monkeypatch.setattr("lms.core.tasks.enqueue", lambda task, *args: calls.append((task.name, args)))
    return calls


def owing(system: Flask, number: int) -> int:
    with transaction(system.extensions["sessions"]) as db:
        make = Make(db)
        offering = closed_offering(make)
        for _ in range(number):
            owe(make, offering)
        return offering.id


def owed(system: Flask) -> int:
    with transaction(system.extensions["sessions"]) as db:
        return issuing.count_owed(db)


def test_a_task_issues_a_chunk_and_rings_for_the_next(
    system: Flask, enqueued: list[tuple[str, tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "CHUNK", 3)
    monkeypatch.setitem(issuing.issue_owed.__kwdefaults__, "limit", 3)
    offering_id = owing(system, 4)
    tasks.issue(offering_id)
    assert owed(system) == 1
    assert enqueued == [("certificates.tasks.issue", (offering_id,))]
    tasks.issue(offering_id)
    assert owed(system) == 0
    assert len(enqueued) == 1


def test_the_sweep_finds_what_no_bell_told_of(system: Flask, enqueued: list[tuple[str, tuple[object, ...]]]) -> None:
    owing(system, 2)
    tasks.sweep()
    assert owed(system) == 0
    assert enqueued == []


def test_without_the_key_the_task_says_so_in_one_line_and_all_stays_owed(
    system: Flask, enqueued: list[tuple[str, tuple[object, ...]]]
) -> None:
    offering_id = owing(system, 1)
    path = private_key_path(system.config["SETTINGS"].keys_dir, "qr-1")
    hidden = path.with_suffix(".away")
    path.rename(hidden)
    with structlog.testing.capture_logs() as logs:
        tasks.issue(offering_id)
    assert [(line["event"], line["code"]) for line in logs] == [("certificates_wait_for_key", "signing_key_missing")]
    assert owed(system) == 1
    hidden.rename(path)
    tasks.sweep()
    assert owed(system) == 0


def test_closing_rings_once_it_is_committed(
    db: Session, app: Flask, enqueued: list[tuple[str, tuple[object, ...]]]
) -> None:
    events.publish(db, OfferingClosed(7))
    events.publish(db, CertificatesOwed(None))
    assert enqueued == []
    commit(db)
    assert enqueued == [("certificates.tasks.issue", (7,)), ("certificates.tasks.sweep", ())]


def test_a_period_is_of_the_days_on_which_offerings_are_counted(system: Flask) -> None:
    with transaction(system.extensions["sessions"]) as db:
        make = Make(db)
        for day in (date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1)):
            owe(make, closed_offering(make, counted_on=day))

    def issue(*days: str) -> str:
        result = system.test_cli_runner().invoke(args=["certificates", "issue", *days])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()[-1]

    assert issue("--from", "2026-05-02") == "Done: 0 issued, 0 still owed"
    assert issue("--from", "2026-04-01", "--until", "2026-04-30") == "Done: 2 issued, 0 still owed"
    assert issue("--until", "2026-03-30") == "Done: 0 issued, 0 still owed"
    assert issue("--until", "2026-03-31") == "Done: 1 issued, 0 still owed"
    assert issue("--from", "2026-05-01") == "Done: 1 issued, 0 still owed"
    assert owed(system) == 0


def test_the_commands_make_keys_issue_and_check(system: Flask) -> None:
    run: Callable[..., object] = system.test_cli_runner().invoke
    for arguments, words in (
        (["keys", "ensure"], "qr-1 is active"),
        (["keys", "rotate"], "qr-2 is active"),
        (["keys", "list"], "qr-1  retired"),
    ):
        result = run(args=arguments)
        assert result.exit_code == 0, result.output  # type: ignore[attr-defined]
        assert words in result.output  # type: ignore[attr-defined]
    refused = run(args=["keys", "create"])
    assert refused.exit_code == 1  # type: ignore[attr-defined]
    assert refused.output.count("\n") == 1  # type: ignore[attr-defined]
    offering_id = owing(system, 2)
    issued = run(args=["certificates", "issue", "--offering", str(offering_id)])
    assert "Done: 2 issued, 0 still owed" in issued.output  # type: ignore[attr-defined]
    whole = run(args=["certificates", "ledger", "check", "--names"])
    assert whole.exit_code == 0, whole.output  # type: ignore[attr-defined]
    engine = create_engine(system.config["SETTINGS"].database_url)
    with transaction(sessionmaker(engine)) as db:
        db.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        db.connection().exec_driver_sql("UPDATE ledger_entry SET payload_hash = sha256('x') WHERE seq = 1")
    engine.dispose()
    broken = run(args=["certificates", "ledger", "check"])
    assert broken.exit_code == 1  # type: ignore[attr-defined]
    assert "line 1, certificate BJ-FR-" in broken.output  # type: ignore[attr-defined]


def test_the_worker_signs_the_badges_that_were_asked_for(
    system: Flask, enqueued: list[tuple[str, tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(badges, "CHUNK", 2)
    owing(system, 3)
    tasks.sweep()
    with transaction(system.extensions["sessions"]) as db:
        certificates = db.scalars(select(Certificate)).all()
        assert [badges.owe(db, one) for one in certificates] == [True] * 3
    assert {name for name, _ in enqueued if "badge" in name} == {"certificates.tasks.sign_badges"}
    enqueued.clear()
    tasks.sign_badges()
    assert enqueued == [("certificates.tasks.sign_badges", ())], "a full chunk rings for the next"
    tasks.sign_badges()
    tasks.sign_badges()
    assert len(enqueued) == 1
    with transaction(system.extensions["sessions"]) as db:
        assert all(badges.signed_badge(db, one) for one in certificates)


def test_badges_wait_for_their_key(
    system: Flask, enqueued: list[tuple[str, tuple[object, ...]]], tmp_path: Path
) -> None:
    owing(system, 2)
    tasks.sweep()
    with transaction(system.extensions["sessions"]) as db:
        first, second = db.scalars(select(Certificate).order_by(Certificate.id)).all()
        badges.owe(db, first)
    tasks.sign_badges()
    file = private_key_path(tmp_path / "keys", "badge-1")
    away = file.rename(file.with_suffix(".away"))
    with transaction(system.extensions["sessions"]) as db:
        badges.owe(db, second)
    tasks.sign_badges()
    with transaction(system.extensions["sessions"]) as db:
        assert badges.signed_badge(db, second) is None
    away.rename(file)
    tasks.sign_badges()
    with transaction(system.extensions["sessions"]) as db:
        assert badges.signed_badge(db, second) is not None


def test_the_sweep_issues_what_waited_for_a_font_or_a_writing(system: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction(system.extensions["sessions"]) as db:
        make = Make(db)
        owe(make, closed_offering(make), "王\ue5e5")
    tasks.sweep()
    with transaction(system.extensions["sessions"]) as db:
        assert (issuing.count_held(db), issuing.count_owed(db)) == (1, 0)
    tasks.find_missing_glyphs()
    tasks.find_coming_names()
    commands = system.test_cli_runner()
    assert "waiting, 王\ue5e5: holder: U+E5E5" in commands.invoke(args=["certificates", "unprintable"]).output
    assert "1 wait" in commands.invoke(args=["certificates", "issue"]).output
    monkeypatch.setattr("lms.core.fonts.unprintable", lambda _text: ())
    tasks.sweep()
    assert "0 cannot be printed" in commands.invoke(args=["certificates", "unprintable"]).output
    with transaction(system.extensions["sessions"]) as db:
        assert (issuing.count_held(db), issuing.count_owed(db)) == (0, 0)
        assert db.scalars(select(Certificate.holder_name)).all() == ["王\ue5e5"]
