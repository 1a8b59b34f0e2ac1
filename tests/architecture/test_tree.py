"""The tree: tests mirror it, documents name what exists in it, and no modules import one another in a circle."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp
import pytest

from lms.config import ROOT
from tests.architecture.test_house import PACKAGES, ROLES, short, sources

# Folders whose modules are no rules: entry points, the system that `flask up` starts, and the demo that calls the rules.
NO_RULES = (Path("lms/embedded"), Path("lms/demo"), Path("lms/portal"))
# Modules of names and values alone, with nothing in them that a test could call.
DECLARATIONS = {"__init__", "events", "outcomes", "audit_labels", "sealed_columns", "schema", "worker", "app"}
# Modules that register with `lms/core/personal_data.py`; tests/certificates/test_erasing.py runs all of them together.
REGISTRATIONS = {"personal_data"}
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/glossary.md")
RIDDLES = ("What", "One", "Whether", "Somebody", "Those", "Who")
MOST_IN_COURSES = 6


def rule_modules() -> list[Path]:
    """Modules that decide or read something: all but those with a role of their own (`ROLES`) and declarations."""
    roles = ROLES | {"models"}
    return [
        path
        for path in map(short, sources())
        if path.stem not in DECLARATIONS | REGISTRATIONS | roles
        and not roles & set(path.parts)
        and not any(path.is_relative_to(folder) for folder in NO_RULES)
    ]


def test_each_rule_module_has_a_test_file_of_its_name() -> None:
    missing = [
        str(path)
        for path in rule_modules()
        if not (ROOT / "tests" / path.parent / f"test_{path.stem.lstrip('_')}.py").exists()
    ]
    assert missing == []


def test_each_test_file_lies_where_its_subject_lies() -> None:
    """A folder of tests is a folder of the code, apart from the journeys and these rules of the house."""
    strays = [
        str(folder.relative_to(ROOT))
        for folder in sorted({path.parent for path in (ROOT / "tests").rglob("test_*.py")})
        if not (ROOT / folder.relative_to(ROOT / "tests")).is_dir()
        and folder.name not in {"journeys", "architecture", "benchmarks", "mutants"}
    ]
    assert strays == []


def test_courses_holds_areas_and_little_else() -> None:
    modules = [path.name for path in (ROOT / "courses").glob("*.py")]
    assert len(modules) <= MOST_IN_COURSES, modules


def circles(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Groups of modules that reach one another by imports (Tarjan's strongly connected components of two or more)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[tuple[str, ...]]:
        numbers[module] = lowest[module] = len(numbers)
        stack.append(module)
        for imported in sorted(graph[module]):
            if imported not in numbers:
                yield from visit(imported)
                lowest[module] = min(lowest[module], lowest[imported])
            elif imported in stack:
                lowest[module] = min(lowest[module], numbers[imported])
        if lowest[module] == numbers[module]:
            start = stack.index(module)
            group = tuple(stack[start:])
            del stack[start:]
            if len(group) > 1:
                yield group

    for module in sorted(graph):
        if module not in numbers:
            yield from visit(module)


def test_circles_are_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "d"}})) == [("b", "c")]


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Imports within a function and those for types alone count too: both hide a circle and do not cut it."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) & graph.modules for module in graph.modules}
    assert list(circles(imports)) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_paths_that_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    quoted = set(re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|md|toml|txt|js|sql))(?::[^`]*)?`", text))
    tops = {path.name for path in ROOT.iterdir()}
    named = {path for path in quoted if path.partition("/")[0] in tops and "<" not in path}
    assert named, document
    assert sorted(path for path in named if not (ROOT / path).exists() and not path.startswith("instance/")) == []


def test_documents_have_lines_of_at_most_120_characters() -> None:
    """Tables and quoted commands aside: neither can be broken."""
    long = []
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        quoted = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            quoted ^= line.startswith("```")
            if len(line) > 120 and not quoted and not line.startswith("|"):
                long.append(f"{path.name}:{number}")
    assert long == []


def test_the_readme_lists_each_package_and_area() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = text.partition("## Where things are")[2].partition("\n## ")[0]
    folders = [
        f"{folder.relative_to(ROOT)}/"
        for top in (ROOT / "lms", ROOT / "courses", ROOT / "certificates")
        for folder in sorted(top.iterdir())
        if (folder / "__init__.py").exists() and folder.name not in {"cli", "views"}
    ]
    assert [
        folder for folder in folders if folder not in listed and f"  {folder.partition('/')[2]}" not in listed
    ] == []


def docstrings() -> Iterator[tuple[str, str]]:
    """Place and text of each docstring of the code, of migrations, tests and benchmarks."""
    others = (
        path for folder in ("migrations", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))
    )
    for path in (*sources(), *others):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{short(path)}:{getattr(node, 'lineno', 1)}", text


def test_docstrings_begin_with_what_they_describe() -> None:
    """A docstring that begins with a relative word hides its noun."""
    riddles = [place for place, text in docstrings() if text.split()[0].rstrip(",:;.") in RIDDLES]
    assert riddles == []
