"""An importer for tests: it writes files of any kind and works imports through."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from courses.imports import corrections, kinds, runs
from courses.imports.kinds import ImportContext, ImportKind
from courses.models.imports import ImportRun
from lms.config import Settings
from lms.core.scope import EVERYTHING, Scope

Rows = Sequence[Mapping[str, str]]


class Importer:
    """A user who imports files of one kind, in chunks of two rows."""

    def __init__(self, db: Session, settings: Settings, kind: str) -> None:
        self.db = db
        self.kind: ImportKind = kinds.kind_of(kind)
        self.context = ImportContext(settings.zone, chunk=2)

    def receive(self, rows: Rows, *, scope: Scope = EVERYTHING, encoding: str = "utf-8") -> ImportRun:
        """Receive a file of rows, each field → cell."""
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow([column.zh for column in self.kind.columns])
        writer.writerows([row.get(column.name, "") for column in self.kind.columns] for row in rows)
        file = io.BytesIO(out.getvalue().encode(encoding))
        return runs.receive(self.db, self.kind, file=file, file_name="old.csv", scope=scope)

    def work(self, run: ImportRun) -> None:
        """Work until no work is requested."""
        for _progress in runs.work(self.db, run.id, self.context):
            self.db.commit()

    def checked(self, rows: Rows, **how: Any) -> ImportRun:
        """Receive and check a file."""
        run = self.receive(rows, **how)
        runs.check(self.db, run)
        self.work(run)
        return run

    def done(self, rows: Rows, **how: Any) -> ImportRun:
        """Receive, check and import a file."""
        run = self.checked(rows, **how)
        runs.start(self.db, run)
        self.work(run)
        return run

    def undone(self, run: ImportRun) -> ImportRun:
        """Undo an import."""
        runs.undo(self.db, run, "错误的文件")
        self.work(run)
        return run

    def refusals(self, run: ImportRun) -> list[tuple[int, str]]:
        """Return line and reason of the refused rows."""
        return [
            (line, message % params if params else message)
            for line, message, params in corrections.refused_rows(self.db, run)
        ]

    def stopped_and_resumed(self, rows: Rows) -> ImportRun:
        """Import a file with a stop after each chunk."""
        run = self.receive(rows)
        runs.check(self.db, run)
        while True:
            step = next(runs.work(self.db, run.id, self.context), None)
            self.db.commit()
            if step is None:
                if run.state is runs.ImportState.CHECKED:
                    runs.start(self.db, run)
                    continue
                return run
            if run.state in runs.BUSY:
                runs.stop(self.db, run)
                self.db.expire(run)
                self.work(run)
                assert run.state is runs.ImportState.STOPPED
                runs.resume(self.db, run)


def outcome(run: ImportRun) -> tuple[int, int, int, int]:
    """Return the numbers of rows that are new, known, duplicates and refused."""
    new, known, double, refused = (run.tally[name] for name in ("new", "known", "double", "refused"))
    return new, known, double, refused
