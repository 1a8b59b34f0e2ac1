"""`flask up`: starts the whole system on one machine, each part after the parts that it needs."""

import logging
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TextIO

import psycopg

from lms.core import records
from lms.embedded import environment, greeting, lock, place, queue, roles, schema, system_user, users
from lms.embedded.children import Child, Children, clear_leftovers
from lms.embedded.failure import StartError
from lms.embedded.logs import RotatingLog
from lms.embedded.place import Place
from lms.embedded.postgres import Server
from lms.embedded.system_user import SystemUser
from lms.embedded.users import Users

USER_TABLE = "app_user"
HEALTH_SECONDS = 90.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Raised when a signal asks the run to stop."""


class Up:
    """A run, from the check of the port to the last stopped process."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout
        self._asked = False
        self._server: Server | None = None
        self._children: Children | None = None
        self._users = Users(None, None)
        self._passwords = roles.new_passwords()

    def run(self) -> int:
        """Start everything, wait for a signal, stop everything; the exit code."""
        began = time.monotonic()
        for signal_number in STOPPING:
            if signal_number != signal.SIGHUP or signal.getsignal(signal_number) != signal.SIG_IGN:  # nohup's wish
                signal.signal(signal_number, self._ask)
        try:
            where = place.read(os.environ)
            environment.prepare_folder(where.instance)
            with lock.held(where):
                self._work(where, began)
        except Stopped:
            return 0
        except StartError as error:
            self._say(f"✗ {error}")
            return 1
        return 0

    def _work(self, where: Place, began: float) -> None:
        try:
            clear_leftovers(where.instance)
            listener = place.listen(where)
            where = replace(where, port=int(listener.getsockname()[1]))
            environment.fill(os.environ, where)
            own = environment.own_database(where)
            owns_data = os.environ.get("DATABASE_URL") in {None, "", own["DATABASE_URL"]}
            if owns_data:
                self._start_postgres(where, own)
            environment.check()
            self._users = users.prepare(where.instance, Path(os.environ["KEYS_DIR"]))
            self._children = Children(where.instance, os.environ)
            self._prepare(where, owns_data)
            self._start_programs(where, listener)
            self._wait_for_health(where)
            for line in greeting.lines(where, time.monotonic() - began):
                self._say(line)
            with environment.recorded(os.environ, where):
                self._watch()
        except psycopg.Error as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise StartError(f"the database cannot be used: {first}") from error
        finally:
            self._stop()

    def _start_postgres(self, where: Place, own: dict[str, str]) -> None:
        data = where.instance / "postgres"
        self._say("数据库启动中…" if data.exists() else "首次启动：正在建立数据库…", "starting PostgreSQL")
        server_log = RotatingLog(where.instance / "log" / "postgres.log")
        self._server = Server(data, password=environment.database_password(where), log=server_log)
        self._server.start()
        os.environ["DATABASE_URL"] = own["DATABASE_URL"]
        self._server.create_database(environment.DATABASE)
        if not os.environ.get("REDIS_URL") and os.environ.get("BROKER_URL") in {None, "", own["BROKER_URL"]}:
            os.environ["BROKER_URL"] = own["BROKER_URL"]
            self._server.create_database(environment.QUEUE_DATABASE)
        self._check_asked()

    def _prepare(self, where: Place, owns_data: bool) -> None:
        """Do what a first start, or the first start of a new version, needs. A later start only checks."""
        url = os.environ["DATABASE_URL"]
        # Whoever brings the tables of our own server up to date could read and write its files anyway.
        owner = system_user.for_data(where.instance / "postgres") if owns_data else self._users.worker
        if not schema.is_current(url):
            self._say("更新数据表…", "bringing the tables up to date")
            self._flask("migrate", user=owner)
        keys = Path(os.environ["KEYS_DIR"])
        if schema.is_empty(url, "signing_key") or not keys.is_dir() or not any(keys.iterdir()):
            self._say("生成证书签名密钥…", "making the keys that sign certificates")
            self._flask("keys", "ensure", user=self._users.worker)
        # Accounts whose passwords are printed are for a database of our own, never for one that was given.
        if owns_data and os.environ.get("LMS_DEMO") != "0" and schema.is_empty(url, USER_TABLE):
            self._say("载入一年的演示数据，约需一分钟…", "loading a demo year, about a minute")
            with users.lent_accounts(where.instance, self._users.worker):
                self._flask("demo", "load", user=self._users.worker)
        broker = environment.check().celery_broker_url
        queue.prepare(broker)
        if owns_data and self._server is not None:
            ours = broker == environment.own_database(where)["BROKER_URL"]
            records.continue_numbers(url)
            queue_database = environment.QUEUE_DATABASE if ours else None
            roles.prepare(self._server, environment.DATABASE, queue_database, self._passwords)
        self._check_asked()

    def _flask(self, *arguments: str, user: SystemUser | None) -> None:
        """Run one command of the application to its end. Raises StartError with its last line on failure."""
        children = self._running()
        child = children.start(arguments[0], [sys.executable, "-m", "flask", "--app", "wsgi", *arguments], user=user)
        while child.process.poll() is None:
            self._check_asked()
            time.sleep(0.05)
        children.forget(child)
        if child.process.returncode != 0:
            raise StartError(f"`flask {' '.join(arguments)}` failed: {child.last_words()}; see {child.log.path}")

    def _start_programs(self, where: Place, listener: socket.socket) -> None:
        self._say("启动网站和后台任务…", "starting the web server and the worker")
        children = self._running()
        python = sys.executable
        configuration = str(Path(__file__).with_name("gunicorn.conf.py"))
        web = [python, "-m", "gunicorn", "-c", configuration, "--name", str(where.instance), "wsgi:app"]
        # Neither gets the owner's address of our own database: what the tables of record hold, no program alters.
        as_web, as_worker = (
            roles.as_login(login, os.environ, self._passwords[login]) for login in (roles.WEB, roles.WORKER)
        )
        children.start("web", web, listener=listener.fileno(), settings=as_web, user=self._users.web)
        listener.close()  # gunicorn has it; held here too, it would take connections that nobody answers
        celery = [python, "-m", "celery", "-A", "lms.worker"]
        # One process for one task at a time: a pool would be a second one, and slower to stop. The queue in
        # PostgreSQL cannot broadcast, so workers have nothing to say to each other.
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        worker = ["worker", "--concurrency", "1", "--pool", "solo", "--loglevel", "INFO", *quiet]
        name = ["--hostname", f"lms@{where.port}"]
        children.start("worker", [*celery, *worker, *name], settings=as_worker, user=self._users.worker)
        beat = ["beat", "--loglevel", "INFO", "--schedule", str(users.schedule_file(where.instance))]
        children.start("beat", [*celery, *beat], settings=as_worker, user=self._users.worker)

    def _wait_for_health(self, where: Place) -> None:
        deadline = time.monotonic() + HEALTH_SECONDS
        while not place.answers(where):
            self._check_children()
            self._check_asked()
            if time.monotonic() > deadline:
                raise StartError(f"the web server does not answer; see {where.instance / 'log' / 'web.log'}")
            time.sleep(0.05)

    def _watch(self) -> None:
        while True:
            self._check_asked()
            self._check_children()
            time.sleep(0.2)

    def _check_children(self) -> None:
        dead: Child | None = self._running().first_dead()
        if dead is not None:
            code = dead.process.returncode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise StartError(f"{dead.name} stopped by itself ({how}): {dead.last_words()}; see {dead.log.path}")
        if self._server is not None and not self._server.is_running():
            raise StartError(f"PostgreSQL stopped by itself; see {self._server.log_file}")

    def _running(self) -> Children:
        if self._children is None:
            raise RuntimeError("nothing has been started yet")
        return self._children

    def _stop(self) -> None:
        if self._asked:
            self._say("正在停止…", "stopping")
        if self._children is not None:
            self._children.stop()
        if self._server is not None:
            self._server.stop()
        if self._asked:
            self._say("已停止，数据保留。", "stopped; the data stays")

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _check_asked(self) -> None:
        if self._asked:
            raise Stopped

    def _say(self, chinese: str, english: str = "") -> None:
        line = f"{chinese} · {english}" if english else chinese
        try:
            print(line, file=self._output, flush=True)
        except OSError:  # the terminal is gone; stopping in order matters more than saying so
            self._output = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of the run


def main() -> int:
    """Run until stopped; warnings of the start go to the terminal as lines, not as tracebacks."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    return Up().run()
