"""The age of rows that are not sealed."""

from sqlalchemy import text

from certificates.records import lag
from lms.core import records
from tests.certificates.records.conftest import Site


def test_rows_that_are_not_sealed_have_an_age(site: Site) -> None:
    site.seal()
    site.seal()
    with site.engine.begin() as connection:
        assert lag.read(connection) == dict.fromkeys((table.name for table in records.registered()), 0)
        connection.execute(
            text("INSERT INTO audit_entry (at, action, subject) VALUES (now() - interval '2 minutes', 'a', 'b')")
        )
        ages = lag.read(connection)
        assert 119 <= ages["audit_entry"] <= 180
        assert 'lms_records_unsealed_seconds{table="ledger_entry"} 0' in lag.as_metrics(ages)
