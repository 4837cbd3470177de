"""Settings: what belongs to an account, and for an admin what belongs to the installation."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.api.guard import COOKIE
from metier.api.problems import status_of
from metier.core.errors import UserError
from metier.web.agents import agent_words
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import INVITATION_DAYS, Person, digest
from metier.workbench.errors import NotFoundError
from metier.workbench.machine import machine
from metier.workbench.secrets import NAMES
from metier.workbench.workbench import Workbench

router = APIRouter(prefix="/settings")
Text = Annotated[str, Form(max_length=5000)]

OWN = ("account", "keys", "sessions", "secrets", "notifications")
ADMIN = ("users", "queue", "machine")
DONE = (
    "renamed", "password", "revoked", "ended", "secret", "forgotten", "notification", "tested", "user", "withdrawn",
    "registration", "stopped",
)  # fmt: skip


@router.get("")
def settings(_person: Reader) -> Response:
    """The first section."""
    return RedirectResponse("/settings/account", 303)


@router.get("/{section}")
def section(request: Request, services: Services, person: Reader, section: str) -> Response:
    """One section. Those of the installation are not there for a member."""
    return _section(request, services, person, section)


def _section(
    request: Request, services: Workbench, person: Person, name: str, *,
    status: int = 200, problem: str = "", **more: Any,
) -> Response:  # fmt: skip
    if name not in OWN and not (name in ADMIN and person.is_admin):
        raise NotFoundError("workbench.not_found")
    done = request.query_params.get("done", "")
    return page(
        request,
        f"settings_{name}.html",
        person,
        status=status,
        section=name,
        sections=OWN + ADMIN if person.is_admin else OWN,
        problem=problem,
        done=done if done in DONE and not problem else "",
        **{"fresh": None, **_SHOWN[name](request, services, person), **more},
    )


def _try(
    request: Request, services: Workbench, person: Person, name: str, done: str, act: Callable[[], object]
) -> Response:
    """Does what a form asks, then shows the section with a word of it, or the form again with what was wrong."""
    try:
        act()
    except NotFoundError:
        raise
    except UserError as error:
        answer = _section(request, services, person, name, status=status_of(error), problem=error.text())
        wait = error.fields.get("retry_after_seconds")
        if wait:
            answer.headers["Retry-After"] = str(wait)
        return answer
    return RedirectResponse(f"/settings/{name}?done={done}", 303)


# Account


@router.post("/account")
def rename(request: Request, services: Services, person: Reader, name: Text) -> Response:
    """Another name to be shown."""
    return _try(request, services, person, "account", "renamed", lambda: services.accounts.rename(person, name))


@router.post("/account/password")
def change_password(request: Request, services: Services, person: Reader, old: Text, new: Text) -> Response:
    """Another password; every other sign-in ends."""
    keep = request.cookies.get(COOKIE, "")
    change = lambda: services.accounts.change_password(person, old, new, keep=keep)  # noqa: E731
    return _try(request, services, person, "account", "password", change)


# Keys and sign-ins


@router.post("/keys")
def create_key(request: Request, services: Services, person: Reader, name: Text) -> Response:
    """A new key, shown in this answer and never again."""
    row, text = services.accounts.create_key(person, name)
    return _section(request, services, person, "keys", fresh={"name": row.name, "key": text})


@router.post("/keys/{key_id}/revoke")
def revoke_key(request: Request, services: Services, person: Reader, key_id: str) -> Response:
    """Ends a key."""
    return _try(request, services, person, "keys", "revoked", lambda: services.accounts.revoke_key(person, key_id))


@router.post("/sessions/end-others")
def end_others(request: Request, services: Services, person: Reader) -> Response:
    """Ends every other sign-in."""
    keep = request.cookies.get(COOKIE, "")
    end = lambda: services.accounts.end_other_sign_ins(person, keep=keep)  # noqa: E731
    return _try(request, services, person, "sessions", "ended", end)


@router.post("/sessions/{sign_in_id}/end")
def end_sign_in(request: Request, services: Services, person: Reader, sign_in_id: str) -> Response:
    """Ends one sign-in."""
    end = lambda: services.accounts.end_sign_in(person, sign_in_id)  # noqa: E731
    return _try(request, services, person, "sessions", "ended", end)


# Trackers' and hubs' keys, notifications


@router.post("/secrets")
def put_secret(request: Request, services: Services, person: Reader, name: Text, value: Text) -> Response:
    """Keeps a key, encrypted."""
    return _try(request, services, person, "secrets", "secret", lambda: services.secrets.put(person, name, value))


@router.post("/secrets/{name}/remove")
def remove_secret(request: Request, services: Services, person: Reader, name: str) -> Response:
    """Forgets a key."""
    return _try(request, services, person, "secrets", "forgotten", lambda: services.secrets.remove(person, name))


@router.post("/notifications")
def put_notification(
    request: Request, services: Services, person: Reader, address: Text = "", always: Text = ""
) -> Response:
    """Keeps the address, or only whether it is used."""
    put = lambda: services.notifications.put(person, address, always=bool(always))  # noqa: E731
    return _try(request, services, person, "notifications", "notification", put)


@router.post("/notifications/test")
def test_notification(request: Request, services: Services, person: Reader) -> Response:
    """Sends a test message."""
    return _try(request, services, person, "notifications", "tested", lambda: services.notifications.test(person))


@router.post("/notifications/remove")
def remove_notification(request: Request, services: Services, person: Reader) -> Response:
    """Forgets the address."""
    return _try(request, services, person, "notifications", "forgotten", lambda: services.notifications.remove(person))


# The installation, for an admin


def administrator(person: Reader) -> Person:
    """Who reads, if an admin: for others there is nothing here."""
    if not person.is_admin:
        raise NotFoundError("workbench.not_found")
    return person


Admin = Annotated[Person, Depends(administrator)]


@router.post("/users/invitations")
def invite(request: Request, services: Services, person: Admin, role: Text = "member") -> Response:
    """A link for one person, shown in this answer and never again."""
    token = services.accounts.invite(person, role)
    return _section(request, services, person, "users", fresh={"link": f"{request.base_url}sign-up?invitation={token}"})


@router.post("/users/invitations/{invitation_id}/withdraw")
def withdraw(request: Request, services: Services, person: Admin, invitation_id: str) -> Response:
    """Makes a link worthless."""
    act = lambda: services.accounts.withdraw(person, invitation_id)  # noqa: E731
    return _try(request, services, person, "users", "withdrawn", act)


@router.post("/users/registration")
def set_registration(request: Request, services: Services, person: Admin, who: Text) -> Response:
    """Lets everybody sign up, or only who was invited."""
    act = lambda: services.accounts.set_registration(person, who)  # noqa: E731
    return _try(request, services, person, "users", "registration", act)


@router.post("/users/{user_id}")
def change_user(
    request: Request, services: Services, person: Admin, user_id: str, role: Text = "", state: Text = ""
) -> Response:
    """Changes a role, or closes or reopens an account."""
    act = lambda: services.accounts.set_user(person, user_id, role=role or None, state=state or None)  # noqa: E731
    return _try(request, services, person, "users", "user", act)


@router.post("/queue/{job_id}/stop")
def stop_job(request: Request, services: Services, person: Admin, job_id: str) -> Response:
    """Stops anybody's job."""
    return _try(request, services, person, "queue", "stopped", lambda: services.jobs.cancel(person, job_id))


@router.post("/queue/{job_id}/move")
def move_job(request: Request, services: Services, person: Admin, job_id: str, before: Text = "") -> Response:
    """Puts a waiting job before another, or at the end."""
    services.jobs.move(person, job_id, before=before or None)
    return RedirectResponse("/settings/queue", 303)


# What each section shows


def _account(_request: Request, _services: Workbench, _person: Person) -> dict[str, Any]:
    return {}


def _keys(request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    return {"keys": services.accounts.keys(person), "site": str(request.base_url).rstrip("/")}


def _sessions(request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    this = digest(request.cookies.get(COOKIE, ""))
    rows = [(row, *agent_words(row.agent), row.id == this) for row in services.accounts.sign_ins(person)]
    return {"sign_ins": sorted(rows, key=lambda row: not row[3])}


def _secrets(_request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    kept = {row.name: row.created for row in services.secrets.rows(person)}
    return {"names": NAMES, "kept": kept}


def _notifications(_request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    return {"notification": services.notifications.get(person)}


def _users(_request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    return {
        "users": services.accounts.users(person),
        "invitations": services.accounts.invitations(person),
        "registration": services.accounts.registration(),
        "days": INVITATION_DAYS,
    }


def _queue(_request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    names = {user.id: user.display_name for user in services.accounts.users(person)}
    live = services.jobs.queue()
    waiting = [job.id for job in live if job.state == "queued"]
    # before: what each waiting job would stand before, one place up and one place down.
    ups = {one: waiting[at - 1] for at, one in enumerate(waiting) if at > 0}
    downs = {one: (waiting[at + 2] if at + 2 < len(waiting) else "") for at, one in enumerate(waiting[:-1])}
    return {"jobs": live, "names": names, "ups": ups, "downs": downs}


def _machine(_request: Request, services: Workbench, person: Person) -> dict[str, Any]:
    shown = services.database.url.render_as_string(hide_password=True)
    return {
        "machine": machine(person, services.settings, shown),
        "devices": services.holders(person),
        "backup": _backup_command(services),
    }


def _backup_command(services: Workbench) -> str:
    command = ["metier", "backup", "metier-backup.tar", "--home", str(services.folder.resolve())]
    if services.settings.database_url:
        command += ["--database-url", services.database.url.render_as_string(hide_password=True)]
    return shlex.join(command)


_SHOWN: dict[str, Callable[[Request, Workbench, Person], dict[str, Any]]] = {
    "account": _account,
    "keys": _keys,
    "sessions": _sessions,
    "secrets": _secrets,
    "notifications": _notifications,
    "users": _users,
    "queue": _queue,
    "machine": _machine,
}
