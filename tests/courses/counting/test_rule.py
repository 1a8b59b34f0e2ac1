"""The counting rule as text: complete in both languages."""

from flask import Flask
from flask_babel import force_locale

from courses.counting.rule import RULE


def test_every_sentence_of_the_rule_is_translated(app: Flask) -> None:
    with app.test_request_context():
        with force_locale("en"):
            english = [str(sentence) for sentence in RULE]
        with force_locale("zh"):
            chinese = [str(sentence) for sentence in RULE]
    assert english[0].startswith("One person-time is one person taking part in one offering")
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in sentence) for sentence in chinese)
    assert not set(english) & set(chinese)
