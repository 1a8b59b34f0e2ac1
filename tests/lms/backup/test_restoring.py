"""A restored system is the one that was backed up, and a restore that cannot be done changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from benchmarks.restore_under_writes import run
from lms.backup import BackupError, checks, encryption, restoring, target
from lms.backup.encryption import Opener
from lms.backup.restoring import Destination
from lms.core import migrations
from lms.embedded.postgres import Server
from lms.embedded.schema import plain
from tests.lms.backup.conftest import Made, System, names


def restore(made: Made, destination: Destination, opener: Opener | None = None) -> dict[str, tuple[str, ...]]:
    """Restore and run the checks; what each of them found."""
    with restoring.restore(made.path, opener or made.opener, destination, lambda _: None) as restored:
        return {check.name: check.faults for check in checks.run(restored.subject)}


def relations(url: str) -> int:
    with psycopg.connect(plain(url)) as connection:
        row = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchone()
    return int(row[0]) if row else 0


def test_all_of_it_comes_back(made: Made, system: System, empty_database: str, tmp_path: Path) -> None:
    destination = Destination(empty_database, tmp_path / "keys", tmp_path / "lms.env")
    found = restore(made, destination)
    assert found == dict.fromkeys(found, ())
    assert set(found) >= {"keys", "field key", "person-time check", "certificates ledger check", "records check"}
    key = Path("signing", "qr-1.pem")
    assert (tmp_path / "keys" / key).read_bytes() == (system.source.keys_dir / key).read_bytes()
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    written = (tmp_path / "lms.env").read_text()
    assert f'SECRET_KEY="{system.source.environ["SECRET_KEY"]}"\n' in written
    assert f'SEAL_FILE="{tmp_path / "seal_file.svg"}"\n' in written
    assert "DATABASE_URL=" not in written
    assert names(tmp_path) == ["keys", "lms.env", "seal_file.svg"]
    with psycopg.connect(plain(empty_database)) as restored, psycopg.connect(plain(system.source.database_url)) as ours:
        for table in made.backup.manifest.tables:
            # Other tests make backups of the same system, which its audit trail tells.
            earlier = "WHERE action NOT LIKE 'backup.%'" if table == "audit_entry" else ""
            rows = f"SELECT t::text FROM {table} t {earlier} ORDER BY 1"
            assert restored.execute(rows).fetchall() == ours.execute(rows).fetchall()  # type: ignore[call-overload]


@pytest.fixture
def destination(empty_database: str, tmp_path: Path) -> Iterator[Destination]:
    """A destination at which nothing may have changed when the test ends."""
    yield Destination(empty_database, tmp_path / "keys", tmp_path / "lms.env")
    assert relations(empty_database) == 0
    assert names(tmp_path) == []


def test_wrong_keys_change_nothing(made: Made, destination: Destination) -> None:
    with pytest.raises(BackupError, match="none of the given keys"):
        restore(made, destination, Opener([encryption.new_identity()[0]]))


@pytest.mark.parametrize("share", [0.2, 0.9, 1.0])
def test_a_damaged_backup_changes_nothing(
    made: Made, destination: Destination, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = made.path.read_bytes()
    place = int((len(content) - 1) * share)
    path = tmp_path_factory.mktemp("damaged") / "a.age"
    for damaged in (content[:place], content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(BackupError):
            restore(replace(made, backup=replace(made.backup, path=path)), destination)


def test_a_newer_backup_is_refused_and_an_older_one_needs_leave(
    made: Made, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "head", lambda: "9999")
    with pytest.raises(
        BackupError, match=f"of migration {made.backup.manifest.migration}, and this version is at 9999"
    ):
        restore(made, destination)
    monkeypatch.setattr(restoring.schema, "revisions", dict)
    with pytest.raises(BackupError, match="made by a newer version"):
        restore(made, replace(destination, migrate=True))


def test_a_restore_that_fails_late_changes_nothing(
    made: Made, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys and settings wait beside their places for the database's commit."""
    monkeypatch.setattr(target, "comparison", lambda _tables: "SELECT 1/0; COMMIT;")
    with pytest.raises(BackupError, match="division by zero"):
        restore(made, destination)


def test_nothing_that_is_there_is_overwritten(made: Made, empty_database: str, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "mine").touch()
    (tmp_path / "lms.env").write_text("mine")
    for destination, told in (
        (Destination(empty_database, tmp_path / "keys"), "is not empty; private keys are never overwritten"),
        (Destination(empty_database, tmp_path / "new", tmp_path / "lms.env"), "is there already"),
        (Destination(empty_database, tmp_path / "none" / "keys"), "is not a folder"),
    ):
        with pytest.raises(BackupError, match=told):
            restore(made, destination)
    assert relations(empty_database) == 0
    assert names(tmp_path) == ["keys", "lms.env"]


def test_a_full_database_is_replaced_by_its_name(made: Made, empty_database: str, tmp_path: Path) -> None:
    with psycopg.connect(plain(empty_database)) as connection:
        connection.execute("CREATE TABLE trainee AS SELECT 1 AS id; CREATE TABLE later ()")
        name = connection.info.dbname
    with pytest.raises(BackupError, match="is not empty"):
        restore(made, Destination(empty_database, tmp_path / "keys"))
    found = restore(made, Destination(empty_database, tmp_path / "keys", replace=name))
    assert not any(found.values())
    with psycopg.connect(plain(empty_database)) as connection:
        assert connection.execute("SELECT to_regclass('later') IS NULL, count(*) FROM trainee").fetchone() == (True, 4)


def test_a_new_instance_has_what_make_run_starts_on(made: Made, system: System, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    instance = tmp_path / "instance"
    work = restoring.restore_instance(
        made.path, made.opener, instance, migrate=False, durable=False, progress=lambda _: None
    )
    with work as restored:
        assert not [check for check in checks.run(restored.subject) if check.faults]
        assert not instance.exists()
    assert names(tmp_path) == ["instance"]
    assert names(instance) == [
        "database_password",
        "field_key",
        "keys",
        "postgres",
        "seal_file.svg",
        "secret_key",
        "settings.env",
    ]
    assert (instance / "field_key").read_text().strip() == system.source.environ["FIELD_KEY"]
    assert f'SEAL_FILE="{instance / "seal_file.svg"}"' in (instance / "settings.env").read_text()
    assert "FIELD_KEY" not in (instance / "settings.env").read_text()
    password = (instance / "database_password").read_text().strip()
    with Server(instance / "postgres", fsync=False, password=password) as server, server.connect("lms") as connection:
        assert connection.execute("SELECT count(*) FROM certificate").fetchone() == (2,)
    with (
        pytest.raises(BackupError, match="is there already"),
        restoring.restore_instance(
            made.path, made.opener, instance, migrate=False, durable=False, progress=lambda _: None
        ),
    ):
        pass


def test_restores_under_writes_miss_nothing(
    system: System, fresh_database: str, server: Server, tmp_path: Path
) -> None:
    """`python -m benchmarks.restore_under_writes` does it twenty times, into another server."""
    from lms.app import create_app

    own = system.app.config["SETTINGS"].model_copy(
        update={"database_url": fresh_database, "keys_dir": tmp_path / "own_keys"}
    )
    app = create_app(own)
    rounds = list(run(app, system.source.environ, server, tmp_path, 2))
    app.extensions["engine"].dispose()
    assert [found for found in rounds if not found.is_right] == []
    assert all(found.committed > 10 and found.during > 10 for found in rounds)
    with system.sessions() as db:
        assert db.scalar(text("SELECT 1")) == 1
