"""Guards of views.

Access is denied by default: a view without `@public`, `@signed_in` or `@requires(…)` answers nobody.

The grants that a view accepts make the request's `Scope`. An auditor's grant is never used for a request that writes.

A browser that gave the password and still owes a step (the second factor, for example) is half signed in: its
`current_user` is not authenticated and names the endpoint of the step as `current_user.step`. It reaches public pages as a
visitor does, and the views marked `@half_signed_in`; a page of any other view leads to the step.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lms.core.errors import N_, Denied
from lms.core.scope import Role, Scope

V = TypeVar("V", bound=Callable[..., Any])

GUARD = "_access"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC_ENDPOINTS = frozenset({"static", "bootstrap.static"})


class Grant(Protocol):
    """A role of a user, and the district or organisation for which the user holds it."""

    role: Role
    district_id: int | None
    organisation_id: int | None


class Guard:
    """The condition of a view: `anyone`, any signed-in user (`roles` is None), or a user with one of the roles.

    half: a browser that is half signed in may call the view, too. step: only if it owes this step.
    reading: the view's POST changes nothing, so an auditor may send it. An example is a search for a person.
    admit: identifies the caller by other means than the browser's cookie, and gives their scope or raises.
    """

    def __init__(
        self,
        *,
        anyone: bool = False,
        half: bool = False,
        step: str | None = None,
        roles: frozenset[Role] | None = None,
        reading: bool = False,
        admit: Callable[[], Scope] | None = None,
    ) -> None:
        self.anyone = anyone
        self.half = half
        self.step = step
        self.roles = roles
        self.reading = reading
        self.admit = admit


def public(view: V) -> V:
    """Let everybody call this view, without signing in."""
    setattr(view, GUARD, Guard(anyone=True))
    return view


def signed_in(view: V) -> V:
    """Let any signed-in user call this view, which concerns their own account."""
    setattr(view, GUARD, Guard())
    return view


def reached_in_step(step: str) -> Callable[[V], V]:
    """Let any signed-in user call this view, and a browser that owes this step of its sign-in. step: an endpoint."""

    def mark(view: V) -> V:
        setattr(view, GUARD, Guard(half=True, step=step))
        return view

    return mark


def half_signed_in(view: V) -> V:
    """Let any signed-in user call this view, and a browser that still owes a step of its sign-in.

    `current_user.user` is the user in both cases; `current_user.is_authenticated` is true only for a whole sign-in.
    """
    setattr(view, GUARD, Guard(half=True))
    return view


def requires(*roles: Role, reading: bool = False) -> Callable[[V], V]:
    """Let users with one of these roles call this view, with the scope of those grants alone."""

    def mark(view: V) -> V:
        setattr(view, GUARD, Guard(roles=frozenset(roles), reading=reading))
        return view

    return mark


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """The guard of an endpoint; None where its author forgot it."""
    if endpoint in PUBLIC_ENDPOINTS:
        return Guard(anyone=True)
    return getattr(app.view_functions[endpoint], GUARD, None)


def scope_of(user_id: int, grants: Iterable[Grant]) -> Scope:
    """The scope that some grants of one user make together."""
    grants = list(grants)
    roles = {grant.role for grant in grants}
    return Scope(
        everything=bool(roles & {Role.CITY_ADMINISTRATOR, Role.AUDITOR}),
        district_ids=frozenset(
            grant.district_id
            for grant in grants
            if grant.role == Role.DISTRICT_ADMINISTRATOR and grant.district_id is not None
        ),
        organisation_ids=frozenset(
            grant.organisation_id
            for grant in grants
            if grant.role == Role.COORDINATOR and grant.organisation_id is not None
        ),
        instructor_user_id=user_id if Role.INSTRUCTOR in roles else None,
        trainee_user_id=user_id if Role.TRAINEE in roles else None,
        user_id=user_id,
        read_only=roles <= {Role.AUDITOR},
    )


def scope() -> Scope:
    """The scope of this request. It covers nothing for a visitor."""
    current = g.get("scope")
    return current if isinstance(current, Scope) else Scope()


def holds(*roles: Role) -> bool:
    """Tell whether the user of this request has one of the roles. For showing a link, never for guarding a view."""
    return current_user.is_authenticated and any(grant.role in roles for grant in current_user.grants)


def step_owed() -> str | None:
    """The endpoint of the step that this browser still owes; None for a whole sign-in and for a visitor."""
    step: str | None = getattr(current_user, "step", None)
    return step


class SignInUnfinished(Denied):
    """The browser is half signed in, and this view demands a whole sign-in."""

    def __init__(self) -> None:
        super().__init__(
            "sign_in_unfinished", N_("Your sign-in is not finished. Open the sign-in page and take its next step.")
        )


def _wants_page() -> bool:
    return request.method in {"GET", "HEAD"} and not request.path.startswith("/api/")


def _demand_sign_in() -> ResponseReturnValue:
    """Lead a browser that asks for a page to the sign-in, or to the step of it that is owed; refuse all else."""
    step = step_owed()
    if not _wants_page():
        if step is None:
            abort(401)
        raise SignInUnfinished
    return redirect(url_for(step or "sign_in.page", next=request.full_path.rstrip("?")))


def check() -> ResponseReturnValue | None:
    """Check the guard before each request: refuse the request, or set its scope."""
    if request.endpoint is None or request.routing_exception is not None:
        return None
    guard = guard_of(current_app, request.endpoint)
    if guard is None:
        raise Denied
    if guard.anyone:
        return None
    if guard.admit is not None:
        g.scope = guard.admit()
        return None
    if not current_user.is_authenticated:
        step = step_owed()
        reached = guard.half and step is not None and guard.step in {None, step}
        return None if reached else _demand_sign_in()
    if guard.roles is None:
        g.scope = Scope(user_id=current_user.id)
        return None
    grants = [grant for grant in current_user.grants if grant.role in guard.roles]
    if request.method not in SAFE_METHODS and not guard.reading:
        grants = [grant for grant in grants if grant.role != Role.AUDITOR]
    if not grants:
        raise Denied
    g.scope = scope_of(current_user.id, grants)
    return None


def init_app(app: Flask) -> None:
    """Check the guard before every view."""
    app.before_request(check)
    app.jinja_env.globals.update(holds=holds, Role=Role)
