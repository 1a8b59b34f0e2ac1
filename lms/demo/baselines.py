"""Targets and population of the demo, which its figures are compared with. Both are invented."""

from sqlalchemy.orm import Session

from courses.counting import population, targets

SOURCE = "演示数据，非统计数字 · demo figures, no statistics"
# District, people, and the year's targets of the two programmes.
DISTRICTS: tuple[tuple[int, int, int, int], ...] = (
    (1, 970_000, 60, 50), (2, 1_480_000, 450, 20), (3, 2_120_000, 500, 80), (4, 1_160_000, 260, 50), (5, 390_000, 40, 10),
    (6, 2_430_000, 900, 150), (7, 250_000, 30, 10), (8, 840_000, 50, 10), (9, 800_000, 500, 100), (10, 640_000, 50, 10),
    (11, 650_000, 600, 40), (12, 720_000, 50, 10), (13, 290_000, 30, 10), (14, 410_000, 30, 10), (15, 440_000, 30, 10),
    (16, 290_000, 30, 10),
)  # fmt: skip


def enter(db: Session, year: int) -> None:
    """Enter population and targets of a year."""
    population.save(db, year, {district: people for district, people, *_targets in DISTRICTS}, SOURCE)
    target_by_place: dict[targets.TargetKey, int | None] = {}
    for district, _people, rescue, first_responder in DISTRICTS:
        target_by_place |= {("RESCUE", district): rescue, ("FIRST_RESPONDER", district): first_responder}
    targets.save(db, year, target_by_place, {})
