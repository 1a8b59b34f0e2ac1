"""Values that were matched once: read so from then on, within the reach of who matched them."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import choices, known_values, runs
from courses.imports.known_values import NEW, Vocabulary
from courses.models.imports import ImportOffering, ImportRun, KnownValue
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from lms.organisations.models import Organisation, Sector
from tests.courses.imports.files_of import Importer, outcome
from tests.courses.imports.past_files import PastWorld
from tests.factories import Make

ROW = {"name_zh": "第五小学", "district": "海淀", "sector": "街道"}
EAST = Scope(district_ids=frozenset({1}))


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def said(db: Session, run: ImportRun, text: str, code: str, scope: Scope = EVERYTHING) -> int:
    """Say what a value of an import stands for."""
    [value] = [value for value in known_values.unknown(db, run) if value.text == text]
    return known_values.match(db, run, {value.digest: code}, scope)


def checked_again(work: Callable[[ImportRun], None], db: Session, run: ImportRun) -> None:
    choices.reopen(db, run)
    runs.check(db, run)
    work(run)


def test_a_value_is_matched_once_and_the_next_file_is_read_at_once(importer: Importer, db: Session) -> None:
    run = importer.checked([ROW, {**ROW, "name_zh": "第六小学"}, {**ROW, "name_zh": "第七小学", "sector": "学校"}])
    [value] = known_values.unknown(db, run)
    assert (value.vocabulary, value.text, value.rows) == (Vocabulary.SECTOR, "街道", 2)
    assert said(db, run, "街道", "community") == 1
    checked_again(importer.work, db, run)
    assert outcome(run) == (3, 0, 0, 0)
    assert outcome(importer.checked([{**ROW, "sector": "街 道"}])) == (1, 0, 0, 0)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "import.match_value")).one()
    assert entry.after == {"field": "sector", "text": "街道", "target": "community"}


def test_several_values_of_one_row_are_matched(importer: Importer, db: Session) -> None:
    run = importer.checked([{**ROW, "district": "东城（原崇文）"}])
    assert said(db, run, "东城（原崇文）", "1") == 1
    checked_again(importer.work, db, run)
    assert said(db, run, "街道", "community") == 1
    checked_again(importer.work, db, run)
    assert outcome(run) == (1, 0, 0, 0)


def test_a_name_of_the_register_comes_before_what_was_matched(world: PastWorld, make: Make, db: Session) -> None:
    run = world.checked([world.row(host="旧社区")])
    said(db, run, "旧社区", str(world.host.id))
    checked_again(world.work, db, run)
    assert run.tally["new"] == 1
    make.organisation(1, name_zh="旧社区")
    later = world.done([world.row(host="旧社区", place="操场")])
    named = db.scalars(select(Organisation.name_zh).where(Organisation.id.in_(later_hosts(db, later)))).all()
    assert named == ["旧社区"]


def later_hosts(db: Session, run: ImportRun) -> list[int]:
    return list(db.scalars(select(ImportOffering.organisation_id).where(ImportOffering.run_id == run.id)))


def test_a_renamed_host_is_found_in_its_own_district_alone_and_followed(
    world: PastWorld, make: Make, db: Session
) -> None:
    make.organisation(2, name_zh="二号社区")
    run = world.checked([world.row(host="一号居委会"), world.row(host="一号居委会", district="西城区")])
    first, second = known_values.unknown(db, run)
    assert {first.context, second.context} == {"1", "2"}
    of_east = first if first.context == "1" else second
    offered = known_values.targets(db, run, [of_east])[of_east.digest]
    assert offered[0].zh == "一号社区"
    assert "二号社区" not in {target.zh for target in offered}
    known_values.match(db, run, {of_east.digest: str(world.host.id)}, EVERYTHING)
    world.host.name_zh = "一号新社区"
    db.flush()
    checked_again(world.work, db, run)
    assert (run.tally["new"], run.tally["refused"]) == (1, 1)


def test_a_host_is_entered_in_the_register_from_the_page(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(host="九号村")])
    assert said(db, run, "九号村", NEW + "village") == 1
    host = db.scalars(select(Organisation).where(Organisation.name_zh == "九号村")).one()
    assert (host.district_id, host.sector) == (1, Sector.VILLAGE)
    assert not db.scalars(select(KnownValue)).all()
    checked_again(world.work, db, run)
    assert run.tally["new"] == 1


@pytest.mark.parametrize("code", ["moon", NEW + "moon", NEW + "school", "9" * 30])
def test_a_choice_that_is_none_is_refused(importer: Importer, db: Session, code: str) -> None:
    run = importer.checked([ROW])
    with pytest.raises(DomainError, match="again"):
        said(db, run, "街道", code)


def test_what_a_district_says_counts_for_its_own_files(importer: Importer, db: Session, make: Make) -> None:
    mine = {**ROW, "district": "东城"}
    run = importer.checked([mine], scope=EAST)
    said(db, run, "街道", "community", EAST)
    assert outcome(importer.checked([mine], scope=EAST)) == (1, 0, 0, 0)
    assert outcome(importer.checked([mine])) == (0, 0, 0, 1)
    other = Scope(district_ids=frozenset({2}))
    [(value, name)] = known_values.listing(db, EAST)
    assert (value.text, name, known_values.listing(db, other)) == ("街道", "community", [])
    with pytest.raises(NotFound):
        known_values.forget(db, value.id, other)
    known_values.forget(db, value.id, EAST)
    assert outcome(importer.checked([mine], scope=EAST)) == (0, 0, 0, 1)


def test_the_city_speaks_for_all_and_a_district_for_itself(importer: Importer, db: Session) -> None:
    mine = {**ROW, "district": "东城"}
    said(db, importer.checked([mine]), "街道", "community")
    assert outcome(importer.checked([mine], scope=EAST)) == (1, 0, 0, 0)
    for code in ("village", "school"):  # said again, the last word counts
        run = importer.checked([{**mine, "sector": "乡"}], scope=EAST)
        if run.tally["refused"]:
            said(db, run, "乡", code, EAST)
    assert [name for _value, name in known_values.listing(db, EAST)] == ["village"]


def test_a_district_offers_no_other_district(importer: Importer, db: Session) -> None:
    run = importer.checked([{**ROW, "district": "不明"}], scope=EAST)
    [value] = known_values.unknown(db, run)
    assert [target.code for target in known_values.targets(db, run, [value])[value.digest]] == ["1"]


def test_a_sign_that_turns_the_sense_is_matched_only_as_it_stands(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(result="×合格")])
    said(db, run, "×合格", "failed")
    checked_again(world.work, db, run)
    assert run.tally["new"] == 1
    assert world.checked([world.row(result="□合格", place="操场")]).tally["refused"] == 1
    assert world.checked([world.row(result="合格", place="广场")]).tally["new"] == 1


def test_what_is_gone_from_the_register_is_asked_about_again(world: PastWorld, make: Make, db: Session) -> None:
    gone = make.organisation(1, name_zh="要撤销的社区")
    run = world.checked([world.row(host="旧名")])
    said(db, run, "旧名", str(gone.id))
    db.delete(gone)
    db.flush()
    checked_again(world.work, db, run)
    assert [value.text for value in known_values.unknown(db, run)] == ["旧名"]
