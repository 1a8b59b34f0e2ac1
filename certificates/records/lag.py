"""The age of rows that are not sealed yet, for the metrics: it grows while the worker or its key is away."""

from collections.abc import Mapping

from sqlalchemy import Connection, column, func, select, table
from sqlalchemy.orm import Session

from certificates.records.models import RecordBlock
from lms.core import clock, records
from lms.core.records import NUMBER


def read(db: Session | Connection) -> dict[str, int]:
    """Seconds since the oldest row that is not sealed was written, for each table of record; 0 where all are."""
    now = clock.now()
    ages = {}
    for each in records.registered():
        sealed = select(func.coalesce(func.max(RecordBlock.to_number), 0)).where(RecordBlock.record_table == each.name)
        moment = db.scalar(
            select(column(each.moment))
            .select_from(table(each.name))
            .where(column(NUMBER) >= sealed.scalar_subquery())
            .order_by(column(NUMBER))
            .limit(1)
        )
        ages[each.name] = max(0, int((now - moment).total_seconds())) if moment is not None else 0
    return ages


def as_metrics(ages: Mapping[str, int]) -> str:
    """The figures in the text format of Prometheus."""
    name = "lms_records_unsealed_seconds"
    lines = [f"# HELP {name} Age of the oldest row of record that is not sealed.", f"# TYPE {name} gauge"]
    lines += [f'{name}{{table="{label}"}} {value}' for label, value in ages.items()]
    return "\n".join(lines) + "\n"
