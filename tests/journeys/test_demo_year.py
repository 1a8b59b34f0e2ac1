"""The year that a first start loads: real by the rules, whole, and never loaded over anything."""

import os
import subprocess
import sys

from sqlalchemy import text

from lms.config import ROOT
from tests.journeys.conftest import Site

ROLES = {"trainee", "instructor", "coordinator", "district_administrator", "city_administrator", "auditor"}


def test_it_holds_what_somebody_wants_to_try(site: Site) -> None:
    assert set(site.accounts) == ROLES
    with site.engine.connect() as connection:

        def count(query: str) -> int:
            return int(connection.scalar(text(f"SELECT count(*) FROM {query}")) or 0)

        assert count("district") == 16
        assert count("instructor") == 12
        assert 200 <= count("trainee") <= 1000
        assert count("offering WHERE state = 'closed'") >= 40
        assert count("offering o WHERE state = 'published' AND EXISTS (SELECT FROM course_session s"
                     " WHERE s.offering_id = o.id AND s.starts_at > now())") >= 5  # fmt: skip
        assert count("course_session WHERE (starts_at AT TIME ZONE 'Asia/Shanghai')::date IN ((now() AT TIME ZONE"
                     " 'Asia/Shanghai')::date, ((now() - interval '1 hour') AT TIME ZONE 'Asia/Shanghai')::date)"
                     " AND closed_at IS NULL") >= 1  # fmt: skip
        assert count("person_time_entry WHERE kind = 'adjustment'") >= 1
        # Nothing happened before its time: the year was lived through, not written down.
        assert count("certificate c JOIN enrolment e ON e.id = c.enrolment_id JOIN offering o ON o.id = e.offering_id"
                     " WHERE c.issued_at < o.closed_at") == 0  # fmt: skip


def test_every_figure_of_it_is_proven(site: Site) -> None:
    assert "no difference" in site.flask("person-time", "check")
    site.flask("certificates", "ledger", "check")


def test_it_is_not_loaded_over_anything(site: Site) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "load"],
        cwd=ROOT,
        env=os.environ | {"INSTANCE_DIR": str(site.instance)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 1
    assert "has users already" in finished.stderr
