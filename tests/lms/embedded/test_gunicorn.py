"""gunicorn ends at once, and names what is missing, instead of restarting a worker that cannot load for ever."""

import os
import subprocess
import sys

from lms.config import ROOT


def test_a_missing_setting_ends_the_web_server() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "lms/embedded/gunicorn.conf.py", "wsgi:app"]
    bare = {"PATH": os.environ["PATH"], "PORT": "0"}
    ended = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    for name in ("DATABASE_URL", "SECRET_KEY", "FIELD_KEY", "PUBLIC_URL", "KEYS_DIR"):
        assert f"Setting {name} is missing" in ended.stderr
    assert "Traceback" not in ended.stderr
