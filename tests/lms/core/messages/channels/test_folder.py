"""The folder of files: mails and SMS beside one another, once for each message."""

import json
from pathlib import Path

import pytest

from lms.core.messages.channels.folder import MailFolder, SmsFolder
from lms.core.messages.channels.interface import TryLater
from lms.core.messages.channels.mail import Composer
from tests.lms.core.messages.channels.letters import letter


def test_a_message_that_is_written_again_replaces_its_file(tmp_path: Path) -> None:
    sms, mail = SmsFolder(tmp_path / "mail"), MailFolder(tmp_path / "mail", Composer("a@b.cn", "http://localhost"))
    for _ in range(2):
        sms.deliver(sms.build(letter()))
        mail.deliver(mail.build(letter("li@example.org")))
    paths = sorted((tmp_path / "mail").iterdir())
    assert [path.name for path in paths] == ["20300504T090000-00000000.eml", "20300504T090000-00000000.json"]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    written = json.loads(paths[1].read_text("utf-8"))
    assert (written["to"], written["parameters"]["code"], written["purpose"]) == ("+8613800138000", "123456", "code")
    assert sms.serves("anything")


def test_a_folder_that_cannot_be_written_pauses_the_channel(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    sms = SmsFolder(tmp_path / "file")
    with pytest.raises(TryLater) as refused:
        sms.deliver(sms.build(letter()))
    assert refused.value.channel
