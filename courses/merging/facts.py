"""Facts of two records side by side: whose fact wins, and how the two exchange them.

The record that is kept gets the winning facts, and the merged record gets those that lose. So nothing is lost, each former
name, phone and ID number still finds the person, and an undo puts every fact back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers, trainees
from courses.models.trainees import IdType, Trainee
from lms.accounts.models import User
from lms.core.contacts import ContactKind, ContactProof
from lms.core.names import norm


class Side(StrEnum):
    """A side: the record that is kept, or the one that is merged into it."""

    KEPT = "kept"
    MERGED = "merged"


# The facts of which each has a winner. The guardian's name and phone go together, and an ID number with its type.
FACTS = ("name", "phone", "email", "birth_year", "id_number", "guardian")
_CONTACTS = {"phone": ContactKind.PHONE, "email": ContactKind.EMAIL}


@dataclass(frozen=True, slots=True)
class Sides:
    """A fact of both records, masked as pages show it, and which of them wins unless somebody chooses.

    differs: somebody has to choose, because both have the fact, and not the same or not proven alike.
    """

    name: str
    kept: str
    merged: str
    kept_proven: bool
    merged_proven: bool
    winner: Side
    differs: bool


def side_by_side(kept: Trainee, merged: Trainee) -> list[Sides]:
    """The facts of two records."""
    return [
        Sides(name, _shown(kept, name), _shown(merged, name), _proven(kept, name), _proven(merged, name),
            default(kept, merged, name), _differs(kept, merged, name))
        for name in FACTS
    ]  # fmt: skip


def default(kept: Trainee, merged: Trainee, name: str) -> Side:
    """The side whose fact wins: the one that has it, then the proven one, then the newer record.

    An ID number was read from a document, so the name and the year beside it are proven.
    """
    has_kept, has_merged = _has(kept, name), _has(merged, name)
    if has_kept != has_merged:
        return Side.KEPT if has_kept else Side.MERGED
    proven_kept, proven_merged = _vouched(kept, name), _vouched(merged, name)
    if proven_kept != proven_merged:
        return Side.KEPT if proven_kept else Side.MERGED
    if not has_kept or _value(kept, name) == _value(merged, name):
        return Side.KEPT
    return Side.MERGED if (merged.created_at, merged.id) > (kept.created_at, kept.id) else Side.KEPT


def winners(kept: Trainee, merged: Trainee, chosen: Mapping[str, Side]) -> dict[str, Side]:
    """The winner of each fact: the chosen one, else the default. A side without the fact never wins over one that has it.

    The year of birth follows a resident's ID number, which holds it.
    """
    result = {}
    for name in FACTS:
        side = chosen.get(name) or default(kept, merged, name)
        if not _has(_of(kept, merged, side), name):
            side = default(kept, merged, name)
        result[name] = side
    record = _of(kept, merged, result["id_number"])
    born = id_numbers.birth_date(record.id_type, record.open_id_number()) if record.id_type else None
    if born is not None:
        for side in Side:
            if _of(kept, merged, side).birth_year == born.year:
                result["birth_year"] = side
                break
    return result


def exchange(db: Session, kept: Trainee, merged: Trainee, chosen: Mapping[str, Side]) -> dict[str, Any]:
    """Give the kept record the winning facts and the account. Returns what `restore` needs, as JSON."""
    taken = [name for name, side in winners(kept, merged, chosen).items() if side is Side.MERGED]
    former = {"kept": _dump(kept), "merged": _dump(merged), "taken": taken}
    _write(db, kept, merged, former, taken)
    account = _account(db, kept, merged)
    district = kept.district_id or merged.district_id
    kept.user_id = merged.user_id = None
    db.flush()
    kept.user_id, kept.district_id = account, district
    db.flush()
    return former | {"given": {"user_id": account, "district_id": district}}


def restore(db: Session, kept: Trainee, merged: Trainee, former: Mapping[str, Any]) -> list[str]:
    """Put back the facts of both records. Returns the names of those that were changed since and stay with the kept record."""
    now = _dump(kept)
    changed = [name for name in former["taken"] if not _same(now, former["merged"], name)]
    back = [name for name in former["taken"] if name not in changed]
    if "id_number" in former["taken"]:
        merged.set_id_number(None, None)
    if "id_number" in back:
        kept.set_id_number(None, None)
    db.flush()
    for name in former["taken"]:
        _put(merged, former["merged"], name)
    for name in back:
        _put(kept, former["kept"], name)
    given = former["given"]
    if kept.user_id == given["user_id"]:
        kept.user_id = None
        db.flush()
        kept.user_id = _living(db, former["kept"]["user_id"])
        merged.user_id = _living(db, former["merged"]["user_id"])
    if kept.district_id == given["district_id"]:
        kept.district_id = former["kept"]["district_id"]
    db.flush()
    return changed


def _differs(kept: Trainee, merged: Trainee, name: str) -> bool:
    if not _has(kept, name) or not _has(merged, name):
        return False
    return (_value(kept, name), _proven(kept, name)) != (_value(merged, name), _proven(merged, name))


def _of(kept: Trainee, merged: Trainee, side: Side) -> Trainee:
    return kept if side is Side.KEPT else merged


def _write(db: Session, kept: Trainee, merged: Trainee, former: Mapping[str, Any], taken: list[str]) -> None:
    if "id_number" in taken:  # unique, so both are empty for a moment
        kept.set_id_number(None, None)
        merged.set_id_number(None, None)
        db.flush()
    for name in taken:
        _put(kept, former["merged"], name)
        _put(merged, former["kept"], name)


def _account(db: Session, kept: Trainee, merged: Trainee) -> int | None:
    """The account of the person: the one that is in use, where each record has one."""
    if kept.user_id is None or merged.user_id is None:
        return kept.user_id or merged.user_id
    user = db.get(User, kept.user_id)
    return merged.user_id if user is None or user.disabled_at is not None else kept.user_id


def _living(db: Session, user_id: int | None) -> int | None:
    """The account, where it still is there and no other record has it."""
    if user_id is None or db.get(User, user_id) is None:
        return None
    return None if db.scalar(select(Trainee.id).where(Trainee.user_id == user_id)) is not None else user_id


def _has(trainee: Trainee, name: str) -> bool:
    return bool(_value(trainee, name))


def _value(trainee: Trainee, name: str) -> object:
    if name == "id_number":
        return (trainee.id_type, trainee.open_id_number()) if trainee.id_type else None
    if name == "guardian":
        return (trainee.guardian_name, trainee.guardian_phone) if trainee.guardian_name else None
    value = getattr(trainee, name)
    return value.lower() if name == "email" and value else value


def _shown(trainee: Trainee, name: str) -> str:
    facts = trainees.facts_of(trainee)
    if name == "guardian":
        phone = trainees.mask_fact("guardian_phone", facts.guardian_phone)
        return " ".join(filter(None, (facts.guardian_name, phone)))
    return trainees.mask_fact(name, getattr(facts, name))


def _proven(trainee: Trainee, name: str) -> bool:
    return name in _CONTACTS and trainee.is_proven(_CONTACTS[name])


def _vouched(trainee: Trainee, name: str) -> bool:
    return _proven(trainee, name) or (name in {"name", "birth_year"} and trainee.id_type is not None)


def _dump(trainee: Trainee) -> dict[str, Any]:
    facts = trainees.facts_of(trainee)
    dumped: dict[str, Any] = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    for contact in _CONTACTS:
        proven_at = getattr(trainee, f"{contact}_proven_at")
        dumped[f"{contact}_proof"] = [
            proven_at.isoformat(), getattr(trainee, f"{contact}_proof"), getattr(trainee, f"{contact}_proven_by")
        ] if proven_at else None  # fmt: skip
    return dumped | {"user_id": trainee.user_id, "district_id": trainee.district_id}


def _same(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    names = {"id_number": ("id_type", "id_number"), "guardian": ("guardian_name", "guardian_phone")}.get(name, (name,))
    return all(one[part] == other[part] for part in names)


def _put(trainee: Trainee, dumped: Mapping[str, Any], name: str) -> None:
    if name == "id_number":
        trainee.set_id_number(IdType(dumped["id_type"]) if dumped["id_type"] else None, dumped["id_number"])
    elif name == "guardian":
        trainee.guardian_name, trainee.guardian_phone = dumped["guardian_name"], dumped["guardian_phone"]
    else:
        setattr(trainee, name, dumped[name])
    if name == "name":
        trainee.name_key = norm(dumped["name"])
    if name in _CONTACTS:
        proof = dumped[f"{name}_proof"]
        trainee.forget_proof(_CONTACTS[name])
        if proof is not None:
            at, way, by = proof
            setattr(trainee, f"{name}_proven_at", datetime.fromisoformat(at))
            setattr(trainee, f"{name}_proof", ContactProof(way))
            setattr(trainee, f"{name}_proven_by", by)
