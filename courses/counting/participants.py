"""The participants of all counted offerings in one array, and distinct people by group from it.

Distinct people do not add up over groups, so counting them needs to know who came before. `Participants` holds an id for
each participation, in stretches: one for each offering. `previous` leads from a participation to the same person's former
one in the array. A participation counts in its group unless one of the former ones has the same group. Of ten years,
five million participations, 1.6 million have a former one, and most have one only. Any grouping takes some hundredths of
a second; marking the ids of each group takes a quarter of a second, and DISTINCT in PostgreSQL eight seconds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from courses.counting import trainee_ids
from lms.core import binary

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

NO_DAY = 2**31 - 1  # a day after all days
NOBODY = -1  # no former participation; no offering; a group that is not counted
OFFERINGS_PER_ARRAY = 16_384  # the participants of so many offerings come as one value of some 8 MB
LARGEST_WASTE = 0.2  # the part of the array that no offering refers to any more, before the array is made anew
# With a participation of so many chosen, sorting the chosen ones is quicker than following all of them.
SPARSE = 16

_OF_STRETCH = {"id": "i8", "until": "i4", "changed": "i8", "people": "i4"}
# All participations, or those of some offerings; then those that were reported before they were changed.
_SOURCE = """(
    SELECT offering_id AS id, %(no_day)s AS until, changed_in, trainees FROM participation {condition}
    UNION ALL
    SELECT offering_id, until - '2000-01-01', changed_in, trainees FROM former_participation {condition}
) AS stretch"""
_OF_SOME = "WHERE offering_id = ANY (%(ids)s)"
_STRETCHES = "SELECT id, until, changed_in, cardinality(trainees) FROM {source} ORDER BY id, until"
_TRAINEES = """
SELECT string_agg(substr(array_send(trainees), 21), ''::bytea ORDER BY id, until)
FROM {source} GROUP BY id / %(size)s ORDER BY id / %(size)s
"""


@dataclass(frozen=True, slots=True)
class Stretches:
    """The stretches of some offerings.

    id, until: the offering, and the last day on which a period may end that counts these people; NO_DAY for the people
    as they are now. changed: the number of the transaction that wrote them.
    """

    id: Longs
    until: Ints
    changed: Longs
    people: Ints
    trainee: Ints

    def with_nobody_in(self, ids: Longs) -> "Stretches":
        """The stretches, and an empty one of now for those of the ids that have none."""
        missing = np.setdiff1d(ids, self.id[self.until == NO_DAY])
        none = np.zeros(missing.size, np.int32)
        return Stretches(
            np.concatenate([self.id, missing]),
            np.concatenate([self.until, none + NO_DAY]),
            np.concatenate([self.changed, none]),
            np.concatenate([self.people, none]),
            self.trainee,
        )


@dataclass(frozen=True, slots=True)
class Participants:
    """All participations. None of the arrays is ever altered.

    offering, people: of each stretch, the place of its offering and the number of its participations. -2 is the place of
    the first former people, -3 of the second; `NOBODY` is the place of a stretch that a later one replaces. trainee: the
    id of the person of each participation. previous: the place of the person's former participation, or `NOBODY`.
    linked: the places that have a former one. last: by id, the place of the person's last participation.
    """

    offering: Ints
    people: Ints
    trainee: Ints
    previous: Ints
    linked: Ints
    last: Ints


@dataclass(frozen=True)
class DistinctPeople:
    """Distinct people by group, in all groups together, and with those outside of the groups."""

    groups: Ints
    all_groups: int
    everybody: int


def read(driver: Any, ids: Longs | None = None) -> Stretches:
    """Read the participants of some offerings, or of all. driver: psycopg's connection.

    Raises OverflowError for an id of more than 31 bits.
    """
    source = _SOURCE.format(condition="" if ids is None else _OF_SOME)
    parameters: dict[str, Any] = {"no_day": NO_DAY} if ids is None else {"no_day": NO_DAY, "ids": ids.tolist()}
    held = binary.columns(driver, _STRETCHES.format(source=source), _OF_STRETCH, parameters)
    trainee, end = np.empty(int(held["people"].sum()), np.int32), 0
    with driver.cursor() as cursor:
        query = _TRAINEES.format(source=source)
        for (joined,) in cursor.stream(query, {**parameters, "size": OFFERINGS_PER_ARRAY}, binary=True):
            piece = trainee_ids.unpack(joined or b"")
            if piece.max(initial=0) >> 31:
                raise OverflowError("a trainee's id is beyond 31 bits")
            trainee[end : end + piece.size] = piece
            end += piece.size
    return Stretches(held["id"], held["until"], held["changed"], held["people"], trainee)


def arranged(offering: Ints, people: Ints, trainee: Ints) -> Participants:
    """Arrange participations, one stretch after the other; offering: the place of each stretch's offering."""
    previous = np.full(trainee.size, NOBODY, np.int32)
    if trainee.size:
        # Each person's participations stand together after sorting by person and place, which are one number here.
        order = np.sort(trainee.astype(np.int64) << 32 | np.arange(trainee.size))
        place = (order & 0xFFFFFFFF).astype(np.int32)
        same = np.flatnonzero(order[1:] >> 32 == order[:-1] >> 32)
        previous[place[same + 1]] = place[same]
    last = np.full(int(trainee.max()) + 1 if trainee.size else 1, NOBODY, np.int32)
    last[trainee] = np.arange(trainee.size, dtype=np.int32)
    linked = np.flatnonzero(previous != NOBODY).astype(np.int32)
    return Participants(offering, people, trainee, previous, linked, last)


def replaced(participants: Participants, offering: Ints, people: Ints, trainee: Ints) -> Participants:
    """The participations with other stretches for some offerings; the former stretches of these count no more."""
    former = participants.offering.copy()
    former[np.isin(former, offering)] = NOBODY
    offering, people = np.concatenate([former, offering]), np.concatenate([participants.people, people])
    if participants.people[former == NOBODY].sum(dtype=np.int64) > LARGEST_WASTE * participants.trainee.size:
        elements = np.repeat(offering, people) != NOBODY
        live = offering != NOBODY
        return arranged(offering[live], people[live], np.concatenate([participants.trainee, trainee])[elements])
    first = participants.trainee.size
    added = arranged(offering, people, trainee)  # of the new participations alone, with places from 0
    last = np.full(max(participants.last.size, added.last.size), NOBODY, np.int32)
    last[: participants.last.size] = participants.last
    previous = np.where(added.previous == NOBODY, last[trainee], added.previous + first).astype(np.int32)
    last[trainee] = np.arange(first, first + trainee.size, dtype=np.int32)
    linked = (np.flatnonzero(previous != NOBODY) + first).astype(np.int32)
    return Participants(
        offering=offering,
        people=people,
        trainee=np.concatenate([participants.trainee, trainee]),
        previous=np.concatenate([participants.previous, previous]),
        linked=np.concatenate([participants.linked, linked]),
        last=last,
    )


def count(participants: Participants, group_of: Ints, groups: int) -> DistinctPeople:
    """Count the distinct people of each group.

    group_of: by the place of an offering, then of former people, its group below `groups`; `groups` for one outside of the
    groups, which counts in `everybody` alone; `NOBODY` for one that is not counted.
    """
    kind = np.int16 if groups < np.iinfo(np.int16).max else np.int32
    of_stretch = np.append(group_of, NOBODY).astype(kind)[participants.offering]
    chosen = of_stretch != NOBODY
    size = int(participants.people[chosen].sum(dtype=np.int64))
    if size * SPARSE < participants.trainee.size:
        return _count_sparse(participants, of_stretch, groups)
    each = np.bincount(of_stretch[chosen], participants.people[chosen], groups + 1).astype(np.int64)
    group = np.repeat(of_stretch, participants.people)
    places = participants.linked[group[participants.linked] != NOBODY]
    former = participants.previous[places]
    own = group[places]
    repeated = np.zeros(groups + 1, np.int64)  # participations of a person who was in the same group before
    again_inside = again = 0  # participations of a person who was in another group, or in any, before
    inside = own != groups
    was_inside, was_anywhere = np.zeros(places.size, np.bool_), np.zeros(places.size, np.bool_)
    while places.size:
        before = group[former]
        was_anywhere |= before != NOBODY
        was_inside |= (before != NOBODY) & (before != groups)
        same = before == own
        former = participants.previous[former]
        ended = same | (former == NOBODY)
        repeated += np.bincount(own[same], minlength=groups + 1)
        # A person's earlier participation with the same group settles the group alone for rows, and `again` as well.
        again += int(np.count_nonzero(ended & was_anywhere))
        again_inside += int(np.count_nonzero(ended & was_inside & inside))
        on = ~ended
        places, former, own, inside = places[on], former[on], own[on], inside[on]
        was_inside, was_anywhere = was_inside[on], was_anywhere[on]
    distinct = each - repeated
    return DistinctPeople(
        distinct[:groups].astype(np.int32), int(each[:groups].sum()) - again_inside, int(each.sum()) - again
    )


def _count_sparse(participants: Participants, of_stretch: NDArray[Any], groups: int) -> DistinctPeople:
    chosen = np.flatnonzero(of_stretch != NOBODY)
    trainees = _of_stretches(participants, chosen)
    group = np.repeat(of_stretch[chosen], participants.people[chosen])
    pairs = np.unique(group.astype(np.int64) << 32 | trainees)
    of_pair = pairs >> 32
    distinct = np.bincount(of_pair, minlength=groups + 1)[:groups].astype(np.int32)
    inside = np.unique((pairs & 0xFFFFFFFF)[of_pair != groups]).size
    return DistinctPeople(distinct, int(inside), int(np.unique(trainees).size))


def chosen_trainees(participants: Participants, group_of: Ints) -> Ints:
    """The ids of the participants of the offerings that have a group, one for each participation."""
    chosen = np.append(group_of, NOBODY)[participants.offering] != NOBODY
    if chosen.all():
        return participants.trainee
    return _of_stretches(participants, np.flatnonzero(chosen))


def _of_stretches(participants: Participants, chosen: NDArray[np.intp]) -> Ints:
    sizes = participants.people[chosen]
    ends = np.cumsum(participants.people, dtype=np.int64)[chosen]
    return participants.trainee[gathered(ends - sizes, sizes)]


def gathered(starts: Longs, sizes: Ints) -> Longs:
    """The indexes of several stretches, one stretch after the other. Example: starts 5 and 1, sizes 2 and 1: 5, 6, 1."""
    ends = np.cumsum(sizes, dtype=np.int64)
    total = int(ends[-1]) if ends.size else 0
    indexes: Longs = np.arange(total) + np.repeat(starts - (ends - sizes), sizes)
    return indexes
