"""Runs the tests of a module against its mutants: one server, and one warm process from which each mutant is forked.

The warm process has imported what the tests need, except what imports the rule module in turn: that each mutant's process
imports anew, with the mutant in the module's place. So a mutant costs these imports and its tests up to the first failure.
"""

import contextlib
import gc
import importlib
import json
import logging
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

import grimp
import hypothesis
import pytest

from lms.config import ROOT
from lms.embedded.postgres import Server
from tests.databases import SHARED, TEMPLATE, Shared, make_template, running_server
from tests.mutants.mutations import Mutant

_FORK = multiprocessing.get_context("fork")
# They write files beside the tests, or collect garbage at the end, which takes as long as the tests of a rule.
_PLUGINS_LEFT_OUT = ("cacheprovider", "unraisableexception", "threadexception")
_SURVIVED, _TIMED_OUT = 0, -signal.SIGALRM
_PACKAGES = ("lms", "courses", "certificates", "instructors")


class Module(NamedTuple):
    """A rule module and its test files, relative to the project's root."""

    path: Path
    tests: Sequence[Path]

    @property
    def name(self) -> str:
        """The name that the module is imported by."""
        return ".".join(self.path.with_suffix("").parts)


class Baseline(NamedTuple):
    """The tests of the unchanged module: what they import, how long each took, how long all may take with a mutant."""

    imported: Sequence[str]
    durations: Mapping[str, float]
    limit_seconds: int


class Result(NamedTuple):
    """The mutants that no test noticed, and those with which the tests did not end in time, which count as found."""

    survivors: list[Mutant]
    timed_out: list[Mutant]


class BaselineError(Exception):
    """The tests of the unchanged module fail, so they can say nothing about its mutants."""


class Runner:
    """Runs tests in forked processes, `jobs` at a time, each of them with a database of its own."""

    def __init__(self, server: Server, jobs: int) -> None:
        self._server = server
        self._databases = [f"mutants_{number}" for number in range(jobs)]
        for database in self._databases:
            server.create_database(database, template=TEMPLATE)

    def run(self, module: Module, mutants: Sequence[Mutant]) -> Result:
        """Run the tests of the module with each of its mutants. Raises BaselineError when they fail without one."""
        baseline = self._baseline(module)
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "codes.json"
            process = _FORK.Process(target=self._run_all, args=(module, mutants, baseline, report))
            process.start()
            process.join()
            if process.exitcode != 0:
                raise BaselineError(f"the mutants of {module.path} could not be run")
            codes = json.loads(report.read_text())
        self._baseline(module)  # still green: the tests found the mutants, and no broken database
        of_code = {
            code: [mutant for mutant, its_code in zip(mutants, codes, strict=True) if its_code == code]
            for code in (_SURVIVED, _TIMED_OUT)
        }
        return Result(of_code[_SURVIVED], of_code[_TIMED_OUT])

    def _baseline(self, module: Module) -> Baseline:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "baseline.json"
            began = time.monotonic()
            process = self._start(_run_unchanged, module, self._databases[0], report)
            process.join()
            if process.exitcode != 0:
                raise BaselineError(f"the tests of {module.path} fail, or there are none: {[*map(str, module.tests)]}")
            return Baseline(*json.loads(report.read_text()), 30 + 5 * int(time.monotonic() - began))

    def _run_all(self, module: Module, mutants: Sequence[Mutant], baseline: Baseline, report: Path) -> None:
        """In a process of its own: import what no mutant can change, and fork a process for each mutant."""
        _import(module, baseline.imported)
        codes: dict[int, int] = {}
        free = list(self._databases)
        running: dict[int, tuple[int, ForkProcess, str]] = {}
        for number, mutant in enumerate(mutants):
            if not free:
                self._collect(running, free, codes)
            _show_progress(f"{module.path} {len(codes)} of {len(mutants)}")
            database = free.pop()
            process = self._start(_run_mutant, module, database, mutant.source, baseline)
            running[process.sentinel] = number, process, database
        while running:
            self._collect(running, free, codes)
        _show_progress("")
        report.write_text(json.dumps([codes[number] for number in range(len(mutants))]))

    def _start(self, run: Callable[..., None], module: Module, database: str, *facts: object) -> ForkProcess:
        process = _FORK.Process(target=run, args=(module, Shared(self._server, database), *facts))
        process.start()
        return process

    @staticmethod
    def _collect(running: dict[int, tuple[int, ForkProcess, str]], free: list[str], codes: dict[int, int]) -> None:
        """Wait for the next process that ends, and note its exit code."""
        for sentinel in wait(list(running)):
            assert isinstance(sentinel, int)
            number, process, database = running.pop(sentinel)
            process.join()
            free.append(database)
            assert process.exitcode is not None
            codes[number] = process.exitcode


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


def _show_progress(text: str) -> None:
    """Show how far the run is to who watches it, and leave it out of a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _import(module: Module, names: Sequence[str]) -> None:
    """Import what the tests of a module imported, except the tests, the module and whatever imports it in turn."""
    logging.getLogger("grimp").setLevel(logging.ERROR)  # it warns of gunicorn.conf.py, which nobody imports
    graph = grimp.build_graph(*_PACKAGES, cache_dir=None)
    left_out = {module.name, *graph.find_downstream_modules(module.name)}
    for name in names:
        if name not in left_out and name.partition(".")[0] not in {"tests", "wsgi"}:
            with contextlib.suppress(ImportError):  # a module that exists only while some other is imported
                importlib.import_module(name)
    if module.name in sys.modules:
        raise BaselineError(f"{module.name} is imported already")
    gc.collect()
    gc.freeze()


def _run_unchanged(module: Module, shared: Shared, report: Path) -> None:
    """In a forked process: run the tests of the module as it is, and report what they import and how long each takes."""
    plugin = _Plugin(shared, {})
    code = _run_tests(module, plugin)
    imported = [name for name in sys.modules if name not in {"__main__", "__mp_main__"}]
    report.write_text(json.dumps([imported, plugin.durations]))
    os._exit(code)


def _run_mutant(module: Module, shared: Shared, source: str, baseline: Baseline) -> None:
    """In a forked process: run the tests with the mutant in the module's place, and exit as pytest says."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(baseline.limit_seconds)
    sys.meta_path.insert(0, _MutantFinder(module, source))
    os._exit(_run_tests(module, _Plugin(shared, baseline.durations)))


def _run_tests(module: Module, plugin: "_Plugin") -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    arguments = [
        "-x",
        "-q",
        "-n",
        "0",
        "--tb=no",
        *(f"-pno:{plugin}" for plugin in _PLUGINS_LEFT_OUT),
        "-Wignore::pytest.PytestAssertRewriteWarning",
    ]
    return pytest.main(
        [*arguments, f"--rootdir={ROOT}", *(str(ROOT / file) for file in module.tests)], plugins=[plugin]
    )


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

    def __init__(self, module: Module, source: str) -> None:
        self._name = module.name
        self._file = str(ROOT / module.path)
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
