"""Sets of trainees as arrays of their ids, sent from PostgreSQL in binary form and counted by numpy.

Checks and frozen quarters count with them; `courses.counting.participants` counts for reports. A decade of participations
is some millions of ids: as Python objects they would take gigabytes and tens of seconds, as arrays some megabytes and a
tenth of a second.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func, literal

from courses.models.rollups import Participation

if TYPE_CHECKING:
    from numpy import uint32
    from numpy.typing import NDArray

    TraineeIds = NDArray[uint32]

# With at least one id for so many possible ids, marking a byte for each possible id is quicker than sorting.
DENSE_FROM = 16


def packed(trainees: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
    """Return the aggregate that joins the trainee ids of offerings into one `bytea`.

    trainees: the array to read, where it is not `Participation.trainees` itself.

    PostgreSQL sends a bigint of an array as twelve bytes: four for its length and eight for its value. The header of an
    array, 20 bytes (12 for an empty array), is cut off. `unpack` reads the result without an object for each id.
    """
    array = Participation.trainees if trainees is None else trainees
    return func.string_agg(func.substr(func.array_send(array), 21), literal(b""))


def unpack(joined: bytes) -> "TraineeIds":
    """Return the ids of a value of `packed`. Raises OverflowError for an id of more than four bytes."""
    import numpy as np  # noqa: PLC0415  # 30 MB, loaded only by a process that counts people

    elements = np.frombuffer(joined, np.dtype([("length", ">i4"), ("high", ">u4"), ("low", ">u4")]))
    if elements["high"].any():
        raise OverflowError("a trainee's id is beyond four bytes")
    return elements["low"].astype(np.uint32)


def count_distinct(sets: "Sequence[TraineeIds]") -> int:
    """Count the different ids in several arrays: by sorting where they are sparse, else by a byte for each possible id."""
    import numpy as np  # noqa: PLC0415

    largest = max((int(ids.max()) for ids in sets if ids.size), default=0)
    if sum(ids.size for ids in sets) * DENSE_FROM < largest:
        return int(np.unique(np.concatenate(sets)).size)
    marks = np.zeros(largest + 1, np.bool_)
    for ids in sets:
        marks[ids] = True
    return int(np.count_nonzero(marks))
