"""Users: signing in, creating, changing and disabling accounts."""

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Select, and_, false, func, select
from sqlalchemy.orm import Session, lazyload

from lms.accounts import (
    browser_sessions,
    known_browsers,
    password_changes,
    password_links,
    passwords,
    roles,
    user_contacts,
)
from lms.accounts.models import KnownBrowser, RoleGrant, User
from lms.accounts.password_links import Site
from lms.accounts.roles import GrantFacts
from lms.core import audit, clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, Denied, DomainError
from lms.core.masks import mask_email, mask_name
from lms.core.names import clean
from lms.core.paging import Order, Page, page_of
from lms.core.phones import normalise_phone
from lms.core.scope import Role, Scope, visible

# The orders of the list, the first one unless another is asked for.
ORDERS = (
    Order("name", (User.name_sound, User.id)),
    Order("created", (User.created_at, User.id)),
)


@dataclass(frozen=True)
class UserFacts:
    """Name and contacts of a user. `phone` is E.164; at least one of e-mail and phone is given."""

    name: str
    email: str | None = None
    phone: str | None = None
    language: str = "zh"


@dataclass(frozen=True)
class UserFilter:
    """Filters of the list of users. `text`: part of a name, or a whole e-mail address or phone."""

    text: str | None = None
    role: Role | None = None
    disabled: bool = False


@dataclass(frozen=True)
class CreatedAccount:
    """A new account. `address`: the password link to hand over in person, if the user has no e-mail address."""

    user: User
    address: str | None


def canonical(identifier: str) -> str:
    """A phone in E.164 or an e-mail address in lower case, so that all ways of typing one contact give one text."""
    identifier = identifier.strip()
    if "@" in identifier:
        return identifier.lower()
    try:
        return normalise_phone(identifier)
    except ValueError:
        return identifier.lower()


def find(db: Session, identifier: str) -> User | None:
    """The user who has proven a phone or an e-mail address; None if nobody has. Who merely claims it is not found."""
    return db.scalars(select(User).where(_proven_by(identifier))).one_or_none()


@dataclass(frozen=True)
class Claim:
    """The account as which somebody wants to sign in, if there is one, and whether its owner's browser is the one that asks."""

    user: User | None
    browser: KnownBrowser | None


def claimed(db: Session, identifier: str, token: str | None) -> Claim:
    """The account that a password is compared with: of the proven holder of this phone or e-mail address.

    Without one, it is the account that merely claims the contact: the password authenticates its owner, and the session of an
    account without a proven contact reaches only the page that proves one. token: of the browser's cookie. One statement,
    whoever is found, so that the time tells nothing.
    """
    contact_proven_at = User.email_proven_at if "@" in identifier else User.phone_proven_at
    row = db.execute(
        select(User, KnownBrowser)
        .outerjoin(KnownBrowser, and_(KnownBrowser.user_id == User.id, known_browsers.has(token)))
        .where(_reached_by(identifier))
        .order_by(contact_proven_at.is_(None), KnownBrowser.id.is_(None), User.id)
        .limit(1)
        .options(lazyload(User.grants))
    ).one_or_none()
    return Claim(row[0], row[1]) if row is not None else Claim(None, None)


def authenticate(claim: Claim, password: str) -> User:
    """The user of a claim, whose password this is. Raises the same DomainError whatever was wrong.

    A hash with older parameters is made again. Callers reserve the try first (`throttle`), because this function is costly.
    """
    user = claim.user
    sealed = user.password_hash if user is not None and user.disabled_at is None else None
    if not passwords.matches(sealed, password) or user is None or sealed is None:
        raise DomainError(
            "sign_in_refused",
            N_("The phone number, e-mail address or password is wrong. Check them, or set a new password."),
            status=422,
        )
    if passwords.outdated(sealed):
        user.password_hash = passwords.seal(password)
    return user


def change_password(db: Session, user: User, *, old: str, new: str, token: str) -> None:
    """Set a new password in this browser, whose session token is `token`; whatever else is signed in is ended."""
    if not passwords.matches(user.password_hash, old):
        raise DomainError(
            "password_wrong", N_("This is not your current password."), status=422, field="present_password"
        )
    password_changes.set_new(db, user, new, but=token)


def change_own(db: Session, user: User, *, name: str, language: str) -> None:
    """Change a user's own name and language."""
    before = (user.name, user.language)
    user.name, user.language = clean(name), language
    _record_change(db, user, before)


def create(
    db: Session,
    facts: UserFacts,
    grants: list[GrantFacts],
    scope: Scope,
    site: Site | None,
    *,
    vouched: bool = False,
) -> CreatedAccount:
    """Create an account with its roles, within the creator's scope, and invite its owner (unless `site` is None).

    The contacts are claimed; the invitation proves the one to which it was sent. vouched: the operator of the command line
    knows the person, so that the contacts count as proven by staff. Raises DomainError for a contact that another account
    has proven.
    """
    if not (facts.email or facts.phone):
        raise DomainError(
            "unreachable", N_("Enter an e-mail address, a phone number or both."), status=422, field="email"
        )
    contacts = {ContactKind.EMAIL: facts.email, ContactKind.PHONE: facts.phone}
    for kind, contact in contacts.items():
        user_contacts.demand_free(db, kind, contact)
    user = User(name=clean(facts.name), email=facts.email, language=facts.language)
    user.phone = facts.phone
    user.grants = [RoleGrant(**asdict(grant)) for grant in grants]
    db.add(user)
    db.flush()
    roles.demand_within(db, user, scope)
    audit.record(db, "user.create", user, after=_masked(facts) | {"roles": roles.described(user.grants)})
    if vouched:
        for kind, contact in contacts.items():
            if contact is not None:
                user_contacts.prove(db, user, kind, contact, ContactProof.STAFF, by=audit.actor(db))
    return CreatedAccount(user, password_links.invite(db, user, site) if site is not None else None)


def set_password(db: Session, user: User, password: str) -> None:
    """Set a user's password from the command line."""
    password_changes.set_new(db, user, password)


def change(db: Session, user: User, facts: UserFacts) -> bool:
    """Change a user's name and language at once; a new contact takes effect when the owner proves it.

    Returns True if the owner has been sent something to prove.
    """
    if not (facts.email or facts.phone):
        raise DomainError(
            "unreachable", N_("Enter an e-mail address, a phone number or both."), status=422, field="email"
        )
    before = (user.name, user.language)
    user.name, user.language = facts.name, facts.language
    db.flush()
    _record_change(db, user, before)
    untouched = user_contacts.is_untouched(user)
    new = {}
    for kind, contact in ((ContactKind.EMAIL, facts.email), (ContactKind.PHONE, facts.phone)):
        if canonical(contact or "") != canonical(user_contacts.of(user, kind) or ""):
            new[kind] = contact
    for kind, contact in sorted(new.items(), key=lambda item: item[1] is None):
        if contact is None:
            user_contacts.drop_claimed(db, user, kind)
        else:
            user_contacts.ask_for_change(db, user, kind, contact)
    return not untouched and any(new.values())


def demand_manageable(db: Session, user: User, scope: Scope) -> None:
    """Raise Denied unless the scope may change the account's name, contacts, password and state."""
    if not is_manageable(db, user, scope):
        raise Denied(
            "beyond_management",
            N_(
                "This account also has a role beyond your district, or belongs to a trainee. Its owner changes it under "
                "“My account”, or a city administrator does."
            ),
        )


def is_manageable(db: Session, user: User, scope: Scope) -> bool:
    """Tell whether the scope may change the account's name, contacts, password and state."""
    within = select(func.count()).select_from(User).where(User.id == user.id, User.manageable_by(scope))
    return bool(db.scalar(within))


def disable(db: Session, user: User, reason: str) -> None:
    """Disable an account and end its sessions at once. Nobody disables their own account."""
    if audit.actor(db) == user.id:
        raise DomainError("own_account", N_("You cannot disable your own account. Ask another administrator."))
    if user.disabled_at is not None:
        return
    user.disabled_at = clock.now()
    browser_sessions.end_all(db, user.id)
    password_links.end_all(db, user)
    audit.record(db, "user.disable", user, reason=reason)


def enable(db: Session, user: User) -> None:
    """Enable a disabled account."""
    if user.disabled_at is None:
        return
    if user.email is None and user.phone is None:
        raise DomainError(
            "no_contact", N_("Somebody else proved the only contact of this account. Make a new account instead.")
        )
    user.disabled_at = None
    audit.record(db, "user.enable", user)


def listing(db: Session, scope: Scope, filters: UserFilter, page: int, order: Order = ORDERS[0]) -> Page[User]:
    """The users whom the scope manages, by name or in another order."""
    return page_of(db, _matching(scope, filters, order), page)


def everything(db: Session, scope: Scope, filters: UserFilter, order: Order = ORDERS[0]) -> list[User]:
    """All users of the list, in its order, for a file."""
    return list(db.scalars(_matching(scope, filters, order)))


def record_export(db: Session, filters: UserFilter, form: str, rows: int) -> None:
    """Record that the list was exported. Of a search the record says that there was one, and not for whom."""
    known = {"text": "*" if filters.text else None, "role": filters.role, "disabled": filters.disabled or None}
    shown = {name: value for name, value in known.items() if value}
    audit.record(db, "report.export", "report:users", after={"format": form, "rows": rows, "filters": shown})


def _matching(scope: Scope, filters: UserFilter, order: Order) -> Select[User]:
    statement = visible(select(User), User, scope).order_by(*order.by())
    if filters.text:
        statement = statement.where(User.name.icontains(filters.text, autoescape=True) | _reached_by(filters.text))
    if filters.role:
        statement = statement.where(User.grants.any(RoleGrant.role == filters.role))
    return statement.where(User.disabled_at.is_not(None) if filters.disabled else User.disabled_at.is_(None))


def everybody(db: Session) -> list[User]:
    """All users, by number; for the command line."""
    return list(db.scalars(select(User).order_by(User.id)))


def masked_phone(phone: str | None) -> str | None:
    """A phone as the audit trail stores it: the owner recognises it, nobody else can use it."""
    return f"{phone[:6]}****{phone[-4:]}" if phone else None


def _reached_by(identifier: str) -> ColumnElement[bool]:
    text = canonical(identifier)
    if "@" in text:
        return User.email_is(text)
    return User.phone_is(text) if text.startswith("+") else false()


def _proven_by(identifier: str) -> ColumnElement[bool]:
    text = canonical(identifier)
    proven = User.email_proven_at if "@" in text else User.phone_proven_at
    return _reached_by(identifier) & proven.is_not(None)


def _record_change(db: Session, user: User, before: tuple[str, str]) -> None:
    """Record a changed name, masked, or a changed language: the trail is never altered, also not by an erasure."""
    (old_name, old_language), (name, language) = before, (user.name, user.language)
    if name != old_name:
        audit.record(db, "user.change", user, before={"name": mask_name(old_name)}, after={"name": mask_name(name)})
    audit.record_change(db, "user.change", user, {"language": old_language}, {"language": language})


def _masked(facts: UserFacts) -> dict[str, str | None]:
    return {
        "name": mask_name(facts.name),
        "email": mask_email(facts.email) or None,
        "phone": masked_phone(facts.phone),
        "language": facts.language,
    }
