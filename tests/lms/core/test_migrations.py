"""The schema's version."""

from sqlalchemy import Connection, text

from lms.core import migrations


def test_a_migrated_database_is_current(connection: Connection) -> None:
    assert migrations.is_current(connection)
    assert connection.scalar(text("SELECT version_num FROM alembic_version")) == migrations.head()


def test_an_older_one_is_not(connection: Connection) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not migrations.is_current(connection)


def test_one_without_any_table_is_not(connection: Connection) -> None:
    connection.execute(text("DROP TABLE alembic_version"))
    assert not migrations.is_current(connection)


def test_a_percent_sign_in_an_address_survives_the_configuration() -> None:
    url = "postgresql://lms:a%2Fb@db.example.org/lms"
    assert migrations.configuration(url).get_main_option("sqlalchemy.url") == url
