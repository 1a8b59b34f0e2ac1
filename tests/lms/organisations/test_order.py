"""Lists of organisations go by district, then by the sound of the name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.offerings import hosts
from lms.accounts import places
from lms.core.scope import EVERYTHING
from lms.organisations import order, register
from lms.organisations.models import Organisation
from lms.organisations.register import OrganisationFilter
from tests.factories import Make

# 单于 is chányú, 单 shàn, 曾 zēng.
NAMES = ("Anna村", "阿依村", "单于村", "单家村", "曾庄村", "张三村", "章子村")


def test_by_district_and_sound_in_lists_and_suggestions(db: Session, make: Make) -> None:
    other = make.organisation(2, name_zh="阿村")
    ids = {name: make.organisation(name_zh=name, name_en=None).id for name in sorted(NAMES)}
    expected = list(NAMES)
    statement = select(Organisation).where(Organisation.id.in_([*ids.values(), other.id]))
    assert order.ordered_ids(db, statement) == [*[ids[name] for name in expected], other.id]
    assert order.ordered_ids(db, statement, "章")[0] == ids["章子村"]
    listed = register.listing(db, EVERYTHING, OrganisationFilter(text="村"), 1).rows
    assert [row.name_zh for row in listed if row.district_id == 1] == expected
    assert listed[-1].id == other.id
    suggested = [label.partition(hosts.SEPARATOR)[0] for label in hosts.suggest(db, EVERYTHING, "村", limit=4)]
    assert suggested == expected[:4]
    short = [place.name_zh for place in places.suggest(db, "村", EVERYTHING)]
    assert short == ["阿村", *(name for name in expected if len(name) == 3), "Anna村"]
