"""People of one name are told apart: by the shortest detail that only one of them has, and never by an equal one."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from courses.enrolment import namesakes
from courses.enrolment.namesakes import Namesake, tell_apart
from courses.models.enrolment import EnrolmentState

DETAILS = st.tuples(
    st.none() | st.sampled_from(["+8613800005678", "+8613811115678", "+8613800001978", "+44790"]),
    st.none() | st.sampled_from([1990, 1991]),
    st.none() | st.sampled_from(["东城区", "1990", "··78", "№ 2"]),
    st.none() | st.sampled_from(["110101199003071234", "110101199003075678", "E1234567"]),
)


@given(st.lists(DETAILS, min_size=2, max_size=6), st.booleans())
def test_no_two_people_have_one_hint_and_no_hint_is_longer_than_needed(people, masked):
    rows = [Namesake(number, number, *details) for number, details in enumerate(people, 1)]
    hints = tell_apart(rows, masked=masked)
    assert len(set(hints.values())) == len(rows)
    digits = 2 if masked else 4
    for row in rows:
        details = row.details(digits)
        shorter = details[: details.index(hints[row.enrolment_id])]
        others = {detail for other in rows if other is not row for detail in other.details(digits)}
        assert set(shorter) <= others
        if masked:
            assert not any(number[-4:] in hints[row.enrolment_id] for number in (row.phone, row.id_number) if number)


def test_phone_then_birth_year_then_district_then_id_number_then_the_enrolment(db, make):
    offering = make.offering()

    def enrol(name, **facts):
        return make.enrolment(offering, make.trainee(name, **facts))

    tails = [enrol("张伟", phone="+8613812345678"), enrol("张 伟", phone="+8613812341234")]
    sons = [enrol("李强", phone="+8613900000001", birth_year=year) for year in (2001, 2004)]
    districts = [enrol("王芳", phone=None, district_id=1), enrol("王芳", phone=None, district_id=2)]
    nothing = [enrol("陈静", phone=None), enrol("陈静", phone=None)]
    alone = enrol("张三丰")
    enrolments = [*tails, *sons, *districts, *nothing, alone]
    hints = namesakes.hints(db, {row.id: row.trainee.name for row in enrolments})
    assert [hints.get(row.id) for row in enrolments] == [
        "··5678", "··1234", "2001", "2004", make.district(1).name_zh, make.district(2).name_zh,
        f"№ {nothing[0].id}", f"№ {nothing[1].id}", None,
    ]  # fmt: skip


def test_masked_names_share_a_mask_and_hints_have_two_digits(db, make):
    offering = make.offering()
    people = {"张三丰": "+8613812345678", "张二丰": "+8613812345612", "李四": "+8613812345633"}
    rows = [make.enrolment(offering, make.trainee(name, phone=phone)) for name, phone in people.items()]
    named = {row.id: row.trainee.name for row in rows}
    assert namesakes.hints(db, named, masked=True) == {rows[0].id: "··78", rows[1].id: "··12"}
    assert namesakes.hints(db, named) == {}


def test_two_rows_of_one_person_are_no_namesakes(db, make):
    person = make.trainee("张伟")
    rows = [make.enrolment(make.offering(), person) for _ in range(2)]
    assert namesakes.hints(db, {row.id: "张伟" for row in rows}) == {}
    other = make.enrolment(make.offering(), make.trainee("张伟"))
    hints = namesakes.hints(db, {row.id: "张伟" for row in (*rows, other)})
    assert hints[rows[0].id] == hints[rows[1].id] == f"··{person.phone[-4:]}" != hints[other.id]


def test_one_enrolment_is_told_from_the_others_of_its_offering(db, make):
    offering = make.offering()
    first, second = (make.enrolment(offering, make.trainee("张伟", phone=f"+861381234567{n}")) for n in (1, 2))
    elsewhere = make.enrolment(make.offering(), make.trainee("张伟"))
    gone = make.enrolment(offering, make.trainee("李娜"), state=EnrolmentState.CANCELLED)
    stays = make.enrolment(offering, make.trainee("李娜"))
    assert namesakes.beside(db, [first.id, elsewhere.id, stays.id]) == {first.id: "··5671"}
    assert namesakes.beside(db, [first.id, second.id]) == {first.id: "··5671", second.id: "··5672"}
    assert set(namesakes.beside(db, [gone.id])) == {gone.id}
    assert namesakes.beside(db, []) == {}


def test_a_list_without_namesakes_costs_no_statement(db, make):
    rows = [make.enrolment(make.offering(), make.trainee(name)) for name in ("张伟", "李娜")]
    statements = []
    connection = db.connection()
    event.listen(connection, "before_cursor_execute", lambda *call: statements.append(call[2]))
    named = {rows[0].id: "张伟", rows[1].id: "李娜"}
    statements.clear()
    assert namesakes.hints(db, named) == {}
    assert statements == []
    named[rows[1].id] = "张伟"
    assert len(namesakes.hints(db, named)) == 2
    assert len(statements) == 1
