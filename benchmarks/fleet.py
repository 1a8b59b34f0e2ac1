"""Phones that send their outbox as the browser does: each event is sent again until the server has answered for it."""

import http.client
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load import HOST
from benchmarks.phones import PATH, Phone

TIMEOUT = 20.0
ANSWERED = {"accepted", "already", "review", "rejected"}


@dataclass
class Told:
    """Answers that a phone received, by event; the duration of each request; and the statuses that were not 200."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    unreachable: int = 0
    dropped: int = 0
    repeated: int = 0


@dataclass
class Habits:
    """Sending habits of a phone. repeats: share of batches that it sends twice. drops: share of answers that never reach it."""

    batch: int
    repeats: float = 0.0
    drops: float = 0.0
    wait: Callable[[], float] = lambda: 0.2


def empty(port: int, phone: Phone, events: Sequence[dict[str, Any]], habits: Habits, until: float) -> Told:
    """Send until each event is answered for, or the time is over."""
    told = Told()
    waiting = {event["id"]: event for event in events}
    chance = random.Random(phone.token)  # the same in every run
    while waiting and time.monotonic() < until:
        some = list(waiting.values())[: habits.batch]
        answers = _ask(port, phone, some, told)
        if answers is not None and chance.random() < habits.repeats:
            told.repeated += 1
            answers = _ask(port, phone, some, told) or answers
        if answers is not None and chance.random() < habits.drops:
            told.dropped += 1
            answers = None
        if answers is None:
            time.sleep(habits.wait())
            continue
        for answer in answers:
            if answer["outcome"] in ANSWERED:
                told.answers[answer["id"]] = answer
                waiting.pop(answer["id"], None)
    return told


def _ask(port: int, phone: Phone, events: Sequence[dict[str, Any]], told: Told) -> list[dict[str, Any]] | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {phone.token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", PATH, json.dumps({"events": events}), headers)
        response = connection.getresponse()
        content = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        told.unreachable += 1
        return None
    finally:
        with suppress(OSError):
            connection.close()
    told.seconds.append(time.perf_counter() - began)
    if response.status != http.HTTPStatus.OK:
        told.refusals.append(response.status)
        return None
    found: list[dict[str, Any]] = content["answers"]
    return found
