"""Log entries of an error: its kind and place, and nothing that somebody typed."""

import json
import subprocess
import sys

from lms.config import ROOT

NAME = "张三丰"
PROGRAM = f"""
import structlog
from lms.core import logs

logs.configure()

def typed(words):
    try:
        int(words)
    except ValueError as error:
        raise LookupError(f"nobody is called {{words}}") from error

try:
    typed("{NAME}")
except LookupError:
    structlog.get_logger().exception("failed", holder="{NAME}")
"""


def test_an_exceptions_words_are_not_in_it() -> None:
    finished = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert NAME not in finished.stderr
    told = json.loads(finished.stderr)
    first, then = told["exception"].split("\n\n")
    assert first.endswith("builtins.ValueError")
    assert "in typed" in first
    assert then.endswith("builtins.LookupError")
    assert told["code"] == "fields_dropped:holder"
