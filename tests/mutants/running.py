"""Runs the tests of a module against its mutants: one server and one warm process, from which each mutant is forked.

The parent process imports what the tests need except the project itself, which each mutant's process imports anew with
the mutant in the place of the module. So a mutant costs the import of the project and its tests up to the first failure.
"""

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import hypothesis
import pytest

from lms.config import ROOT
from lms.embedded.postgres import Server
from tests.databases import SHARED, TEMPLATE, Shared, make_template, running_server
from tests.mutants.mutations import Mutant

_FORK = multiprocessing.get_context("fork")
_OURS = frozenset({"lms", "courses", "certificates", "instructors", "tests", "wsgi"})


class Baseline(NamedTuple):
    """The tests of a module without any mutant: how long each took, and how long all of them may take with a mutant."""

    durations: Mapping[str, float]
    limit_seconds: int


class Module(NamedTuple):
    """A rule module and its test file, both relative to the project's root."""

    path: Path
    tests: Path


class BaselineError(Exception):
    """The tests of the unchanged module fail, so they can say nothing about its mutants."""


class Runner:
    """Runs tests in forked processes, `jobs` at a time, each of them with a database of its own."""

    def __init__(self, server: Server, jobs: int) -> None:
        self._server = server
        self._databases = [f"mutants_{number}" for number in range(jobs)]
        for database in self._databases:
            server.create_database(database, template=TEMPLATE)

    def baseline(self, module: Module) -> Baseline:
        """Run the tests of the unchanged module. Raises BaselineError when they fail."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            began = time.monotonic()
            process = self._start(_run_unchanged, module, self._databases[0], report)
            process.join()
            if process.exitcode != 0:
                raise BaselineError(f"{module.tests} fails with {module.path} unchanged; run it by itself")
            seen = json.loads(report.read_text())
        for name in seen["modules"]:
            with contextlib.suppress(ImportError):  # a module that only exists within some other's import
                importlib.import_module(name)
        gc.collect()
        gc.freeze()
        return Baseline(seen["durations"], 10 + 5 * int(time.monotonic() - began))

    def survivors(self, module: Module, mutants: Sequence[Mutant], baseline: Baseline) -> list[Mutant]:
        """The mutants with which all tests pass, in the order given.

        A mutant with which the tests do not end in time counts as found.
        """
        survivors: set[int] = set()
        free = list(self._databases)
        running: dict[int, tuple[int, ForkProcess, str]] = {}
        for number, mutant in enumerate(mutants):
            if not free:
                self._collect(running, free, survivors)
            database = free.pop()
            process = self._start(_run_mutant, module, database, mutant.source, baseline)
            running[process.sentinel] = number, process, database
        while running:
            self._collect(running, free, survivors)
        return [mutants[number] for number in sorted(survivors)]

    def _start(self, run: Callable[..., None], module: Module, database: str, *facts: object) -> ForkProcess:
        process = _FORK.Process(target=run, args=(module, Shared(self._server, database), *facts))
        process.start()
        return process

    @staticmethod
    def _collect(running: dict[int, tuple[int, ForkProcess, str]], free: list[str], survivors: set[int]) -> None:
        """Wait for the next process that ends, and note whether its mutant survived."""
        for sentinel in wait(list(running)):
            assert isinstance(sentinel, int)
            number, process, database = running.pop(sentinel)
            process.join()
            free.append(database)
            if process.exitcode == 0:
                survivors.add(number)


@contextmanager
def runner(jobs: int) -> Iterator[Runner]:
    """A runner on a server of its own."""
    with running_server() as server:
        # In a process of its own: migrating imports the project, which this process must not have.
        process = _FORK.Process(target=make_template, args=(server,))
        process.start()
        process.join()
        if process.exitcode != 0:
            raise BaselineError("the test database cannot be migrated")
        yield Runner(server, jobs)


def _run_unchanged(module: Module, shared: Shared, report: Path) -> None:
    """In a forked process: run the tests of the module as it is, and report what they import and how long each takes."""
    plugin = _Plugin(shared, {})
    code = _run_tests(module, plugin)
    names = [name for name in sys.modules if name.partition(".")[0] not in _OURS and name != "__mp_main__"]
    report.write_text(json.dumps({"modules": names, "durations": plugin.durations}))
    os._exit(code)


def _run_mutant(module: Module, shared: Shared, source: str, baseline: Baseline) -> None:
    """In a forked process: run the tests with the mutant in the module's place, and exit as pytest says."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(baseline.limit_seconds)
    sys.meta_path.insert(0, _MutantFinder(module.path, source))
    os._exit(_run_tests(module, _Plugin(shared, baseline.durations)))


def _run_tests(module: Module, plugin: "_Plugin") -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    arguments = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return pytest.main([*arguments, f"--rootdir={ROOT}", str(ROOT / module.tests)], plugins=[plugin])


class _Plugin:
    """Gives the tests the shared server, the same hypothesis examples each time, and the fastest test first."""

    def __init__(self, shared: Shared, expected: Mapping[str, float]) -> None:
        self.durations: dict[str, float] = {}
        self._shared = shared
        self._expected = expected

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[SHARED] = self._shared
        # A failing example says enough; to make it smaller would take seconds.
        hypothesis.settings.register_profile(
            "mutants",
            hypothesis.settings.get_profile("lms"),
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        hypothesis.settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._expected.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.durations[report.nodeid] = self.durations.get(report.nodeid, 0.0) + report.duration


class _MutantFinder:
    """Finds the mutant where its module is imported."""

    def __init__(self, path: Path, source: str) -> None:
        self._name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        self._file = str(ROOT / path)
        self._source = source

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return spec_from_file_location(name, self._file, loader=_MutantLoader(name, self._file, self._source))


class _MutantLoader(SourceFileLoader):
    """Loads a mutant from its source in memory; nothing is written beside the module."""

    def __init__(self, name: str, file: str, source: str) -> None:
        super().__init__(name, file)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)
