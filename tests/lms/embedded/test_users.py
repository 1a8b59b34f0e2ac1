"""Web and worker are users of their own under root, and each login of the database gives a password, whoever starts it.

The tests look from where a fault in the web would stand: a process of the web's user that knows what the web knows.
"""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lms.config import ROOT
from lms.embedded import system_user, users
from lms.embedded.failure import StartError
from lms.embedded.postgres import Server
from tests.lms.embedded.running import SETTINGS, Run, family, status, up

pytestmark = pytest.mark.xdist_group("embedded")
AS_ROOT = os.geteuid() == 0

# Tries what it is given, by name, and tells of each what came of it.
PROBE = """
import json, os, pathlib, sys, psycopg
task = json.load(sys.stdin)
def act(kind, value):
    try:
        if kind == "list":
            return os.listdir(value)
        if kind == "read":
            return pathlib.Path(value).read_text()[:1000]
        with psycopg.connect(value[0]) as connection:
            cursor = connection.execute(value[1])
            return cursor.fetchone() if cursor.description else cursor.rowcount
    except (OSError, psycopg.Error) as error:
        return type(error).__name__
print(json.dumps({name: act(*step) for name, step in task.items()}))
"""


def owner_name(pid: int) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def environment_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(line.partition("=")[::2] for line in lines if "=" in line)


def plain(address: str) -> str:
    return "postgresql" + address[address.index("://") :]


def as_web(task: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """The outcome of what a process of the web's user tries."""
    finished = subprocess.run(
        [sys.executable, "-c", PROBE],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        cwd="/",
        check=True,
        **system_user.identity(system_user.for_program(system_user.WEB)),
    )
    return json.loads(finished.stdout)  # type: ignore[no-any-return]


def test_each_program_has_its_user(instance: Path, started: Run) -> None:
    names = {name: owner_name(pid) for name, pid in family(instance).items()}
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert names == (
        {"web": "lms-web", "worker": "lms-worker", "beat": "lms-worker", "postgres": "pgserver"}
        if AS_ROOT
        else dict.fromkeys(names, me)
    )
    assert status(started.port, "/readyz") == 200


def test_what_a_fault_in_the_web_could_reach(instance: Path, started: Run) -> None:
    pids = family(instance)
    web = environment_of(pids["web"])
    own = plain(web["DATABASE_URL"])
    assert own.startswith("postgresql://lms_site:")
    password = own.partition("lms_site:")[2].partition("@")[0]
    owners_password = (instance / "database_password").read_text().strip()
    assert owners_password not in "".join(web.values())
    assert owners_password not in "".join(environment_of(pids["worker"]).values())
    audit = "UPDATE audit_entry SET id = id"
    answers = as_web(
        {
            "own": ("sql", (own, "SELECT current_user")),
            "record": ("sql", (own, audit)),
            "certificate": ("sql", (own, "INSERT INTO certificate (serial) VALUES (1)")),
            "key": ("sql", (own, "DELETE FROM signing_key")),
            "worker, its password": ("sql", (own.replace("lms_site:", "lms_tasks:"), audit)),
            "owner, its password": ("sql", (own.replace("lms_site:", "postgres:"), audit)),
            "web, no password": ("sql", (own.replace(f":{password}@", "@"), audit)),
            "worker, no password": ("sql", (own.replace(f"lms_site:{password}@", "lms_tasks@"), audit)),
            "owner, no password": ("sql", (own.replace(f"lms_site:{password}@", "postgres@"), audit)),
            "become owner": ("sql", (own, "SET ROLE postgres")),
            "become worker": ("sql", (own, "SET ROLE lms_worker")),
        }
    )
    assert answers.pop("own") == ["lms_site"]
    for name in ("record", "certificate", "key", "become owner", "become worker"):
        assert answers.pop(name) == "InsufficientPrivilege", name
    assert set(answers.values()) == {"OperationalError"}
    if AS_ROOT:  # else all programs are one user, and its files are its own
        refused = as_web(
            {
                **{name: ("list", str(instance / name)) for name in ("keys", "mail", "log", "postgres", "schedule")},
                **{name: ("read", str(instance / name)) for name in ("secret_key", "field_key", "up.json")},
                "password": ("read", str(instance / "database_password")),
                "key file": ("read", str(next((instance / "keys" / "signing").iterdir()))),
                "worker": ("read", f"/proc/{pids['worker']}/environ"),
                "supervisor": ("read", f"/proc/{started.process.pid}/environ"),
                "postgres process": ("read", f"/proc/{pids['postgres']}/environ"),
            }
        )
        assert set(refused.values()) == {"PermissionError"}, refused
        assert as_web({"its own": ("read", f"/proc/{pids['web']}/environ")})["its own"] != "PermissionError"


def test_a_key_made_at_the_terminal_is_the_workers(instance: Path, started: Run) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    beside = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "keys", "rotate", "--for", "status"],
        cwd=ROOT, env={**clean, "INSTANCE_DIR": str(instance)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert beside.returncode == 0, beside.stderr
    made = list((instance / "keys" / "signing").iterdir())
    assert len(made) > 1
    worker = Path(f"/proc/{family(instance)['worker']}").stat().st_uid
    assert {path.stat().st_uid for path in made} == {worker}
    assert started.process.poll() is None


def test_a_folder_of_the_former_version_is_taken_over(instance: Path, passable: Path, started: Run) -> None:
    """There all was root's, whoever entered the database's folder was trusted, and logins had no passwords."""
    started.finish(signal.SIGTERM)
    former, before = passable / "former", (instance / "database_password").read_text()
    shutil.copytree(instance, former, copy_function=shutil.copy2)
    for folder, folders, files in os.walk(former / "postgres"):  # a copy is root's
        for name in (".", *folders, *files):
            state = (instance / "postgres").stat()
            os.chown(Path(folder, name), state.st_uid, state.st_gid)
    with Server(former / "postgres", password=before.strip()) as server, server.connect() as connection:
        for login in ("lms_site", "lms_tasks", "postgres"):
            connection.execute(f"ALTER ROLE {login} PASSWORD NULL")
    (former / "postgres" / "pg_hba.conf").write_text("local all all trust\nhost all all all reject\n")
    (former / "database_password").unlink()
    (former / "schedule").rename(former / "old")
    for path in (former / "old").iterdir():
        path.rename(former / path.name)
    for path in (former / "keys", *(former / "keys").rglob("*")):
        os.chown(path, os.geteuid(), os.getegid())
    with up(former) as run:
        run.until("ready")
        assert status(run.port, "/readyz") == 200
        said = "\n".join(run.said)
        assert "demands a password of every login from now on" in said
        if AS_ROOT:
            assert f"gave {former / 'keys'} to lms-worker" in said
        assert (former / "database_password").read_text() != before
        address = environment_of(family(former)["web"])["DATABASE_URL"]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(plain(address).replace("lms_site:", "lms_site:x"))
        assert not list(former.glob("beat-schedule*"))
        assert users.schedule_file(former).parent.is_dir()
        assert run.finish(signal.SIGTERM) == 0


def test_roots_other_files_are_not_given_away(tmp_path: Path) -> None:
    """A folder that is the user's already may hold links to files of root's."""
    me = system_user.SystemUser(os.geteuid(), os.getegid(), "me") if not AS_ROOT else system_user.for_program("lms-web")
    assert me is not None
    folder, other = tmp_path / "mine", tmp_path / "other"
    folder.mkdir()
    for name in ("secret", "linked"):
        (tmp_path / name).write_text("of root")
        (tmp_path / name).chmod(0o600)
    other.mkdir()
    (other / "file").write_text("of root")
    (folder / "plain").write_text("given")
    (folder / "symbolic").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to(other)
    os.link(tmp_path / "linked", folder / "hard")
    os.mkfifo(folder / "pipe")
    system_user.give(folder, me)
    owned = {path.name for path in tmp_path.rglob("*") if path.lstat().st_uid == me.uid and AS_ROOT}
    assert owned == ({"mine", "plain"} if AS_ROOT else set())
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_without_a_way_to_make_users_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as in a container without useradd. Nothing goes on as root instead."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setitem(system_user.PURPOSES, "lms-none", "the web server does not run")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match=r"useradd is missing .*; make the system user lms-none, or start as another"):
        system_user.for_program("lms-none")
