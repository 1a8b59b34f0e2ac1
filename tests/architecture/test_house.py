"""The rules of the house that a reader relies on, held against every file."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms.config import ROOT

PACKAGES = ("lms", "courses", "certificates", "instructors")
# Where the web, the queue and the command line are known. All else is rules, which know none of them and never commit.
ROLES = {"views", "forms", "labels", "tasks", "cli"}
EDGES = {
    Path("lms") / name
    for name in (
        "app.py", "worker.py", "accounts/bearer.py", "accounts/current.py",
        "accounts/proven_here.py", "core/access.py", "core/error_pages.py",
        "core/compression.py", "core/cookies.py", "core/edge.py", "core/fast_path.py", "core/file_answers.py",
        "core/form_keys.py", "core/headers.py",
        "core/languages.py", "core/list_addresses.py", "core/limits.py", "core/request_db.py",
        "core/sealed_search.py", "core/transactions.py", "core/web.py",
    )
}  # fmt: skip
EDGE_PACKAGES = {Path("lms/portal"), Path("lms/embedded"), Path("lms/demo")}
FRAMEWORKS = {"flask", "flask_login", "flask_wtf", "flask_limiter", "wtforms", "celery"}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|services?|managers?|misc|common)(_|\.py$|$)")
LONGEST = 400


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def sql_files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.sql"))


def short(path: Path) -> Path:
    return path.relative_to(ROOT)


def is_edge(path: Path) -> bool:
    return path in EDGES or path.stem in ROLES or bool(ROLES & set(path.parts)) or path.parent in EDGE_PACKAGES


def is_view(path: Path) -> bool:
    return "views" in path.parts or path.stem == "views" or path.parent.name == "portal"


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call, with its name as written ("db.commit")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {short(path): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def test_imports_run_one_way() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_no_vague_nouns() -> None:
    assert [str(short(path)) for path in sources() if VAGUE.search(path.name) or VAGUE.search(path.parent.name)] == []


def test_a_file_holds_one_noun() -> None:
    long = {str(short(path)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_rules_know_nothing_of_the_web_or_the_queue(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{node.lineno} {module}"
        for path, tree in trees.items()
        if not is_edge(path)
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if module.partition(".")[0] in FRAMEWORKS
    ]
    assert found == []


def test_only_edges_commit(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in trees.items()
        if not is_edge(path)
        for name, call in calls(tree)
        if name.endswith((".commit", "db.rollback"))
    ]
    assert found == []


def test_views_hold_no_queries(trees: dict[Path, ast.Module]) -> None:
    names = {"select", "insert", "update", "delete", "text", "exists"}
    found = [
        f"{path}:{call.lineno} {name}"
        for path, tree in trees.items()
        if is_view(path)
        for name, call in calls(tree)
        if name in names or name in {"db().get", "db.get", "db().execute", "db().scalars"}
    ]
    assert found == []


def test_time_comes_from_the_clock(trees: dict[Path, ast.Module]) -> None:
    wrong = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    found = [
        f"{path}:{call.lineno} {name}"
        for path, tree in trees.items()
        if path != Path("lms/core/clock.py") and "embedded" not in path.parts
        for name, call in calls(tree)
        if name in wrong
    ]
    assert found == []


# Files that write attendances or their events, each with a reason. The statements of an import are one set-based batch of
# past years, which no device or person checks in. The demo's ten years come as rows by COPY, into tables that are empty.
ATTENDANCE_WRITERS = {
    "courses/attendance/recording.py",
    "courses/imports/past.sql",
    "courses/imports/past_undo.sql",
    "lms/demo/decade/rows/attendance.sql",
    "lms/demo/decade/rows/attendance_event.sql",
}


def test_attendance_has_one_door(trees: dict[Path, ast.Module]) -> None:
    """Only `courses.attendance.recording` writes attendances and their events, and the batches named above."""
    by_core = re.compile(r"\b(insert|update|delete|Insert|Update|Delete)\((Attendance|AttendanceEvent)\b")
    by_orm = re.compile(r"\b(add|add_all|merge|delete|bulk_\w+)\(.*\b(Attendance|AttendanceEvent)\(")
    by_sql = re.compile(r"\b(INTO|UPDATE|DELETE\s+FROM|COPY)\s+attendance(_event)?\b", re.IGNORECASE)
    statements = {short(path): path.read_text(encoding="utf-8") for path in sql_files()}
    writers = {str(path) for path, text in statements.items() if by_sql.search(text)}
    writers |= {str(path) for path in statements if path.parent.name == "rows" and path.stem.startswith("attendance")}
    for path, tree in trees.items():
        text = ast.unparse(tree)
        if any(pattern.search(text) for pattern in (by_core, by_orm, by_sql)):
            writers.add(str(path))
    assert writers == ATTENDANCE_WRITERS


def test_pages_carry_no_inline_script_or_style() -> None:
    """The content security policy would silence them; a silent button is worse than none."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in sorted((ROOT / "lms" / "templates").rglob("*.html"))
        for match in inline.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_each_form_that_posts_carries_the_token() -> None:
    form = re.compile(r"<form\b[^>]*method=\"post\"[^>]*>(.*?)</form>", re.IGNORECASE | re.DOTALL)
    token = re.compile(r"csrf_token|hidden_tag\(\)")
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "lms" / "templates").rglob("*.html"))
        for match in form.finditer(path.read_text(encoding="utf-8"))
        # What the verification pages ask changes nothing, and they send no referrer, which the token's check demands.
        if not token.search(match.group(1)) and path.parent.name != "verification"
    ]
    assert found == []


def test_requirements_are_pinned_with_hashes_and_name_no_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        wanted = re.findall(r"^[a-z0-9][\w.\[\],-]*", text, re.MULTILINE | re.IGNORECASE)
        assert wanted, name
        assert len(
            re.findall(r"^[a-z0-9][^\n=]*==[^\n]+\\\n\s+--hash=sha256:", text, re.MULTILINE | re.IGNORECASE)
        ) == len(wanted)
        assert "://" not in text


def test_a_form_takes_the_name_of_a_person_as_one_sees_it() -> None:
    """A field for a person's name is a PersonNameField, which stores nothing invisible and refuses a blank name."""
    others = {
        ("lms/accounts/forms.py", "PasskeyNameForm"),  # the name of a device
        ("certificates/forms.py", "NameForm"),  # compared with the signed name, and never stored
    }
    fields = [
        (short(path).as_posix(), form.name, node.value.func.id)
        for path in sources()
        if path.stem == "forms" or "forms" in path.parts
        for form in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(form, ast.ClassDef)
        for node in form.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in {"name", "guardian_name", "holder_name"}
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
    ]
    assert len(fields) > 6
    assert {(path, form) for path, form, kind in fields if kind != "PersonNameField"} == others
