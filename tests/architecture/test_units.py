"""The files that docs/operations.md hands to systemd and nginx: what they close, and that they name what exists here.

`systemd-analyze verify` and its figure of exposure are in docs/operations.md; they need systemd, and this does not.
"""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from lms.config import ROOT, Settings

UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
NGINX = (ROOT / "docs" / "nginx" / "lms.conf").read_text()
SERVICES = ("lms-web", "lms-worker", "lms-beat")

CLOSED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "UMask": "0077",
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateMounts": "yes",
    "PrivateUsers": "yes", "ProtectProc": "invisible", "ProcSubset": "pid", "ProtectClock": "yes",
    "ProtectControlGroups": "yes", "ProtectHostname": "yes", "ProtectKernelLogs": "yes", "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes", "RestrictNamespaces": "yes", "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "SystemCallArchitectures": "native", "Restart": "always",
}  # fmt: skip
KEYS = "/var/lib/lms/keys"


def directives(path: Path) -> dict[str, list[str]]:
    """The values of each directive of a unit. Raises AssertionError for a line that is none."""
    values: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line
            continue
        name, separator, value = line.partition("=")
        assert separator, line
        assert re.fullmatch(r"[A-Z]\w+", name), line
        assert section, line
        values[name].append(value)
    return values


def service(name: str) -> dict[str, list[str]]:
    return directives(ROOT / "docs" / "systemd" / f"{name}.service")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed_to_everything_but_its_work(name: str) -> None:
    unit = service(name)
    assert {key: unit[key] for key in CLOSED} == {key: [value] for key, value in CLOSED.items()}
    assert unit["SystemCallFilter"][:2] == ["@system-service", "~@privileged @resources"]
    for key in ("MemoryMax", "TasksMax", "TimeoutStopSec", "RestartSec"):
        assert len(unit[key]) == 1, key
    assert unit["User"] != ["root"]


def test_the_backup_is_closed_too_and_reads_what_the_worker_reads() -> None:
    backup, worker = service("lms-backup"), service("lms-worker")
    closed = CLOSED.keys() - {"Restart"}
    assert {key: backup[key] for key in closed} == {key: [CLOSED[key]] for key in closed}
    for key in ("User", "EnvironmentFile"):
        assert backup[key] == worker[key]
    folder = Path("/var/lib", backup["StateDirectory"][0])
    assert f"flask --app wsgi backup {folder} --keep" in backup["ExecStart"][0]


def test_web_and_worker_are_different_users_and_the_worker_alone_has_the_keys() -> None:
    web, worker, beat = (service(name) for name in SERVICES)
    assert web["User"] != worker["User"]
    assert web["EnvironmentFile"] != worker["EnvironmentFile"]
    assert KEYS in web["InaccessiblePaths"][0]
    assert KEYS in beat["InaccessiblePaths"][0]
    assert worker["ReadWritePaths"] == [KEYS]
    assert not any(KEYS in value for value in worker["InaccessiblePaths"])
    assert "ReadWritePaths" not in web
    assert web["IPAddressDeny"] == ["any"]


def test_units_start_what_is_here() -> None:
    assert {path.stem for path in UNITS} >= set(SERVICES)
    commands = {name: service(name)["ExecStart"][0] for name in SERVICES}
    assert "-c lms/embedded/gunicorn.conf.py wsgi:app" in commands["lms-web"]
    assert (ROOT / "lms/embedded/gunicorn.conf.py").exists()
    for name in ("lms-worker", "lms-beat"):
        assert "-A lms.worker" in commands[name]
    operations = (ROOT / "docs/operations.md").read_text()
    for path in (*UNITS, Path("lms.conf")):
        assert path.name in operations, path


def test_nginx_takes_what_the_application_takes_and_logs_no_address() -> None:
    sizes = [int(size) << 20 for size in re.findall(r"client_max_body_size\s+(\d+)m;", NGINX)]
    fields = Settings.model_fields
    assert sizes[0] == fields["upload_limit_bytes"].default
    assert sizes[1] > fields["import_limit_bytes"].default
    assert "access_log off;" in NGINX
    assert re.search(r"X-Forwarded-For\s+\$remote_addr;", NGINX)
    assert "Strict-Transport-Security" not in NGINX
