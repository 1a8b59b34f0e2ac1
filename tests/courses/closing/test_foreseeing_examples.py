"""The examples that the device's rules are held to are those of the server's rules as they are now."""

import json

from tests.courses.closing.foreseeing_examples import FILE, examples


def test_the_file_holds_what_the_rules_give_now():
    assert json.loads(FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(examples()))
