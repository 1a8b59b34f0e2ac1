"""Files of legacy certificates for tests, taken in by the engine that takes in every file."""

from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from certificates.legacy.sheet_import import LEGACY_CERTIFICATES
from courses.imports import corrections, runs
from courses.imports.kinds import ImportContext
from courses.models.imports import ImportRun, ImportState
from lms.core.scope import EVERYTHING

HEAD = "证书编号,姓名,证件类型,证件号码,培训项目,证书类型,发证日期,有效期至,发证单位"
ID_NUMBER = "11010119900307109X"
GOOD = f"京红救(2015)第00123号,张三丰,身份证,{ID_NUMBER},救护员培训,救护员证,2015-06-01,2099/6/1,北京市红十字会"
LIFELONG = "京红救（2012）第7号,李四光,,,应急救护普及培训,,2012年3月5日,长期,东城区红十字会"
ZONE = ZoneInfo("Asia/Shanghai")


def take_in(db: Session, path: Path, chunk: int = 2) -> ImportRun:
    """Check a file and move what can go in."""
    with path.open("rb") as file:
        run = runs.receive(db, LEGACY_CERTIFICATES, file=file, file_name=path.name, scope=EVERYTHING)
    runs.check(db, run)
    work(db, run, chunk)
    if run.state is ImportState.CHECKED and run.tally["new"]:
        runs.start(db, run)
        work(db, run, chunk)
    return run


def work(db: Session, run: ImportRun, chunk: int = 2) -> None:
    """Until there is nothing to do."""
    for _progress in runs.work(db, run.id, ImportContext(ZONE, chunk)):
        db.commit()


def load(db: Session, path: Path, chunk: int = 2) -> tuple[int, list[tuple[int, str]]]:
    """Return the number of imported rows, and line and reason of the others."""
    run = take_in(db, path, chunk)
    refusals = [
        (line, message % params if params else message) for line, message, params in corrections.refused_rows(db, run)
    ]
    return run.tally["new"], refusals
