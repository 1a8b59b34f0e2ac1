"""`flask records`, the task that seals, and the blocks as the web publishes them: one system from sealing to tampering."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from certificates import tasks
from certificates.keys import key_files
from certificates.records import blocks, heads
from lms.app import create_app
from lms.config import Settings
from lms.core import audit
from lms.core.transactions import transaction
from lms.embedded.postgres import Server
from tests.certificates.records import rows
from tests.databases import TEMPLATE


@pytest.fixture(scope="module")
def system(server: Server, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database of its own, in which five audit entries are sealed."""
    server.create_database("sealed_system", template=TEMPLATE)
    folder = tmp_path_factory.mktemp("sealed_system") / "keys"
    made = create_app(settings.model_copy(update={"database_url": server.url("sealed_system"), "keys_dir": folder}))
    with made.app_context():
        with transaction(made.extensions["sessions"]) as db:
            for number in range(5):
                audit.record(db, "test.act", f"test:{number}")
        tasks.seal_records()
        yield made
    for engine in (made.extensions["engine"], made.extensions["autocommit_reads"]):
        engine.dispose()


def run(system: Flask, *arguments: str) -> tuple[int, str]:
    result = system.test_cli_runner().invoke(args=["records", *arguments])
    return result.exit_code, result.output


def test_the_blocks_are_published_to_anybody(system: Flask) -> None:
    visitor = system.test_client()
    index = visitor.get("/status/records")
    assert index.headers["Access-Control-Allow-Origin"] == "*"
    head = next(each for each in index.json["heads"] if each["table"] == "audit_entry")  # type: ignore[index]
    latest = visitor.get("/status/records/audit_entry")
    assert (latest.mimetype, latest.headers["Cache-Control"]) == ("application/jwt", "public, max-age=60")
    assert latest.data == visitor.get(f"/status/records/audit_entry/{head['number']}").data
    keys = {
        each["kid"]: key_files.public_bytes(key_files.load(system.config["SETTINGS"].keys_dir, each["kid"]))
        for each in visitor.get("/.well-known/jwks.json").json["keys"]  # type: ignore[index]
        if ":" not in each["kid"]  # the same keys by their addresses
    }
    claims = blocks.read(latest.text, keys)
    assert (claims.table, claims.number, claims.digest.hex()) == ("audit_entry", head["number"], head["digest"])
    again = visitor.get("/status/records/audit_entry", headers={"If-None-Match": latest.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["audit_entry/99", "audit_entry/0", "audit_entry/9223372036854775808", "app_user", "no%20such", "a%00b"]
)
def test_other_blocks_are_not_found(system: Flask, path: str) -> None:
    assert system.test_client().get(f"/status/records/{path}").status_code == 404


def test_the_age_of_unsealed_rows_is_a_metric(system: Flask) -> None:
    assert 'lms_records_unsealed_seconds{table="skill_event"} 0' in system.test_client().get("/metrics").text


def test_the_check_says_how_far_it_is_sealed(system: Flask) -> None:
    with transaction(system.extensions["sessions"]) as db:
        audit.record(db, "test.act", "test:late")
    code, output = run(system, "check")
    assert code == 0
    assert "audit_entry: 6 rows in 1 blocks, sealed until" in output
    assert "; 1 rows not sealed yet, the oldest 0 minutes old" in output
    assert "skill_event: 0 rows in 1 blocks" in output
    assert run(system, "seal") == (0, "audit_entry: block 2, 1 rows\n1 rows sealed in 1 blocks.\n")


def test_the_check_names_table_and_row_and_copies_kept_elsewhere(system: Flask, tmp_path: Path) -> None:
    code, documents = run(system, "head", "--signed")
    copies = tmp_path / "copies.txt"
    copies.write_text(documents)
    assert code == 0
    assert run(system, "check", "--against", str(copies))[0] == 0
    with system.extensions["engine"].begin() as connection:
        rows.disarm(connection)
        key = connection.scalar(text("UPDATE audit_entry SET reason = 'other' WHERE subject = 'test:2' RETURNING id"))
    code, output = run(system, "check")
    assert code == 1
    assert f"audit_entry row {key}, block 1: edited after it was sealed\n" in output
    assert output.endswith("1 findings.\n")
    assert run(system, "check", "--table", "skill_event")[0] == 0
    assert run(system, "check", "--table", "app_user")[0] == 2
    with system.extensions["engine"].begin() as connection:
        connection.execute(text("DELETE FROM record_block WHERE record_table = 'ledger_entry'"))
    assert "ledger_entry, block 1: is known outside the database" in run(system, "check", "--against", str(copies))[1]
    code, output = run(system, "seal")
    assert (code, "flask records check" in output) == (1, True)
    copies.write_text("a.b.c\n")
    assert run(system, "check", "--against", str(copies))[0] == 1


def test_after_a_restored_backup_the_last_blocks_are_accepted(system: Flask) -> None:
    folder = system.config["SETTINGS"].keys_dir
    noted = heads.noted(folder)
    (folder / heads.FILE).write_text(json.dumps({**noted, "audit_entry": [99, "00"]}))
    assert run(system, "seal")[0] == 1
    code, output = run(system, "head", "--accept")
    assert (code, output.count("\n")) == (0, 9)
    assert heads.noted(folder)["audit_entry"] == noted["audit_entry"]
