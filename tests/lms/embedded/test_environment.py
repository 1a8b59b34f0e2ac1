"""The settings that `flask up` writes down for the commands beside it."""

import json
from pathlib import Path

from lms.embedded import environment
from lms.embedded.place import Place


def test_every_setting_that_is_set_is_recorded_for_the_owner_alone(tmp_path: Path) -> None:
    """A backup beside a running system takes along what that was started with, and not only its secrets."""
    environ = {"SECRET_KEY": "s", "ORGANISATION_NAME_ZH": "某市红十字会", "PATH": "/bin"}
    with environment.recorded(environ, Place(tmp_path, "127.0.0.1", 8000)):
        record = tmp_path / environment.RECORD
        assert json.loads(record.read_text()) == {"SECRET_KEY": "s", "ORGANISATION_NAME_ZH": "某市红十字会"}
        assert record.stat().st_mode & 0o777 == 0o600
    assert not record.exists()
