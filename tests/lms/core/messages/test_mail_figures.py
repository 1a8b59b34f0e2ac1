"""The mail figures: poison, a refused address and a server that is away for eight hours among 1,000 mails, and killed workers.

`pytest -n 0 -s tests/lms/core/messages/test_mail_figures.py` prints them.
"""

import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from lms.config import ROOT, Settings
from lms.core import clock
from lms.core.engine import make_engine
from lms.core.messages import owing, standing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Address, Recipient
from lms.core.transactions import transaction
from tests.conftest import FIELD_KEY
from tests.lms.core.messages.conftest import NOTICE
from tests.lms.core.messages.mail_server import MailServer, free_port
from tests.messages import deliver_all

MAILS = 1000
POISON = (
    "=?utf-8?q?=0A?=@example.com",
    "a\nBcc: b@example.org",
    "a@",
    "\ud800@example.org",
    "a@example.org, b@example.org",
)
REFUSED = "p500@example.org"
KILLS = 5
AWAY = timedelta(hours=8)

# A worker that sends until nothing is due, and says so after each commit.
WORKER = """
import os
from sqlalchemy.orm import Session
from lms.core import crypto
from lms.core.engine import make_engine
from lms.core.messages import sending
from lms.core.messages.channels.mail import Composer
from lms.core.messages.channels.smtp import Smtp
from lms.core.messages.models import Channel
crypto.configure(os.environ["FIELD_KEY"])
smtp = Smtp(os.environ["MAIL_URL"], Composer("no-reply@example.org", "https://training.example.org"))
with Session(make_engine(os.environ["DATABASE_URL"]), expire_on_commit=False) as db:
    while sending.send_next(db, {Channel.EMAIL: smtp}, "https://training.example.org"):
        db.commit()
        print("sent", flush=True)
smtp.close()
"""


def test_each_of_a_thousand_mails_arrives_once(fresh_database: str, settings: Settings) -> None:
    owing.configure(None)
    engine = make_engine(fresh_database)
    sessions = sessionmaker(engine, expire_on_commit=False)
    began = clock.now() - AWAY
    _owe_all(sessions, began)
    runs, seconds_away = _away(sessions, settings, began)
    with MailServer() as server:
        server.recipients = lambda address: "550 no such user" if address == REFUSED else None
        started = time.perf_counter()
        kills = _killed_workers(server, fresh_database)
        seconds = time.perf_counter() - started
        with sessions() as db:
            deliver_all(db, settings, mail_url=server.url)
    with sessions() as db:
        counts = db.execute(select(Message.state, func.count()).group_by(Message.state))
        states = {state: count for state, count in counts}
        reasons = set(db.scalars(select(Message.reason).where(Message.state == MessageState.TO_CALL)))
        waiting = standing.read(db).channels[Channel.EMAIL].waiting
    engine.dispose()
    identifiers = [mail["Message-ID"] for mail in server.mails]
    repeated = len(identifiers) - len(set(identifiers))
    sys.stdout.write(
        f"\nmails {MAILS + len(POISON)}, poison {len(POISON)}, refused 1; server away 8 h: {runs} runs in "
        f"{seconds_away:.1f} s, none lost; then {kills} of {kills + 3} workers killed: {len(set(identifiers))} delivered "
        f"in {seconds:.1f} s, {repeated} of them repeated with the same Message-ID; to call {states[MessageState.TO_CALL]}\n"
    )
    assert states == {MessageState.SENT: MAILS - 1, MessageState.TO_CALL: 1 + len(POISON)}
    assert reasons <= {"recipient_refused", "bad_address", "cannot_be_built"}
    assert waiting == 0
    assert kills == KILLS
    assert set(server.delivered) == {f"p{number}@example.org" for number in range(MAILS)} - {REFUSED}
    assert len(set(identifiers)) == MAILS - 1
    assert repeated <= kills


def _owe_all(sessions: sessionmaker[Session], moment: datetime) -> None:
    """The poison first, as an attacker would enrol before a mailing."""
    addresses = [*POISON, *(f"p{number}@example.org" for number in range(MAILS))]
    with clock.at(moment), transaction(sessions) as db:
        for address in addresses:
            recipient = Recipient(None, "李雷", (Address(Channel.EMAIL, address),), district_id=1)
            owing.owe(db, NOTICE, recipient, subject="培训班取消", text="您报名的培训班已取消。\n")


def _away(sessions: sessionmaker[Session], settings: Settings, began: datetime) -> tuple[int, float]:
    """Run every four minutes until ten minutes before the server is back; nothing may be given up."""
    url, started, runs = f"smtp://127.0.0.1:{free_port()}", time.perf_counter(), 0
    with sessions() as db:
        for minute in range(0, 8 * 60 - 10, 4):
            with clock.at(began + timedelta(minutes=minute)):
                deliver_all(db, settings, mail_url=url)
            runs += 1
        assert db.scalar(select(func.count()).where(Message.state == MessageState.WAITING)) == MAILS
        with clock.at(began + timedelta(hours=7)):
            channel = standing.read(db).channels[Channel.EMAIL]
        assert (channel.waiting, channel.oldest_seconds) == (MAILS, 7 * 3600)
    return runs, time.perf_counter() - started


def _killed_workers(server: MailServer, url: str) -> int:
    """Three workers at a time; one after another is killed in the middle of its work. Returns the number of kills."""
    environment = os.environ | {"DATABASE_URL": url, "FIELD_KEY": FIELD_KEY, "MAIL_URL": server.url}

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    workers, kills, chance = [start() for _ in range(3)], 0, random.Random(12)
    while kills < KILLS:
        victim = workers.pop(0)
        assert victim.stdout is not None
        for _ in range(chance.randint(5, 25)):
            assert victim.stdout.readline() == "sent\n"
        time.sleep(chance.random() / 200)
        victim.kill()
        victim.communicate()
        assert victim.returncode == -9
        kills += 1
        workers.append(start())
    for worker in workers:
        worker.communicate()
        assert worker.returncode == 0
    return kills
