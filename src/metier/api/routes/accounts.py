"""Sign-up, sign-in, keys and people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services, client_address, set_cookie
from metier.api.guard import COOKIE, LANGUAGE_COOKIE
from metier.api.once import once
from metier.workbench.accounts import Person, digest

router = APIRouter(tags=["accounts"])
Name = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=1, max_length=1024)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignUp(_Body):
    """A new account. The first becomes admin; later ones need an invitation unless registration is open."""

    name: Name = Field(examples=["li"])
    password: Password = Field(examples=["correct horse battery"])
    invitation: str = Field("", max_length=200)


class Credentials(_Body):
    """Name and password."""

    name: Name = Field(examples=["li"])
    password: Password = Field(examples=["correct horse battery"])


class NewPassword(_Body):
    """The old password and the new one."""

    old: Password
    new: Password


class Preferences(_Body):
    """The name that is shown, and the language to read in."""

    name: Name | None = Field(None, examples=["Dr. Li"])
    language: Literal["en", "zh"] | None = None


class NewKey(_Body):
    """What a key is for."""

    name: Name = Field(examples=["nightly script"])


class NewInvitation(_Body):
    """The role that who is invited gets."""

    role: Literal["admin", "member"] = "member"


class UserChange(_Body):
    """A role or a state."""

    role: Literal["admin", "member"] | None = None
    state: Literal["active", "closed"] | None = None


class Registration(_Body):
    """Who may sign up."""

    who: Literal["invited", "open"]


class NewSecret(_Body):
    """A tracker's or hub's key."""

    value: str = Field(min_length=1, max_length=4096)


def person_view(person: Person) -> dict[str, Any]:
    """A person as the API shows it."""
    return {"id": person.id, "name": person.display_name, "role": person.role, "language": person.language}


@router.post("/accounts", status_code=201)
def sign_up(request: Request, response: Response, services: Services, body: SignUp) -> dict[str, Any]:
    """Signs up and in."""
    person = services.accounts.sign_up(body.name, body.password, invitation=body.invitation)
    set_cookie(request, response, services.accounts.sign_in_as(person, agent=_agent(request)))
    return person_view(person)


@router.post("/session")
def sign_in(request: Request, response: Response, services: Services, body: Credentials) -> dict[str, str]:
    """Signs in: the answer sets a cookie."""
    token = services.accounts.sign_in(body.name, body.password, address=client_address(request), agent=_agent(request))
    set_cookie(request, response, token)
    return {"state": "signed in"}


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, services: Services, owner: Owner) -> None:
    """Signs out."""
    services.accounts.sign_out(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/")


@router.get("/me")
def me(owner: Owner) -> dict[str, Any]:
    """Who asks."""
    return person_view(owner)


@router.patch("/me")
def change_me(response: Response, services: Services, owner: Owner, body: Preferences) -> dict[str, Any]:
    """Changes the name that is shown, or the language."""
    if body.name is not None:
        services.accounts.rename(owner, body.name)
    if body.language is not None:
        services.accounts.set_language(owner, body.language)
        response.set_cookie(LANGUAGE_COOKIE, body.language, max_age=31_536_000, samesite="lax", path="/")
    given = {"name": body.name, "language": body.language}
    return person_view(owner) | {key: value for key, value in given.items() if value is not None}


@router.post("/me/password", status_code=204)
def change_password(request: Request, services: Services, owner: Owner, body: NewPassword) -> None:
    """Changes the password; every other sign-in ends."""
    services.accounts.change_password(owner, body.old, body.new, keep=request.cookies.get(COOKIE, ""))


@router.get("/me/sessions")
def sign_ins(request: Request, services: Services, owner: Owner) -> list[dict[str, Any]]:
    """Where somebody is signed in. this: the sign-in that asks."""
    this = digest(request.cookies.get(COOKIE, ""))
    return [
        {"id": row.id, "agent": row.agent, "created": row.created, "seen": row.seen, "this": row.id == this}
        for row in services.accounts.sign_ins(owner)
    ]


@router.delete("/me/sessions", status_code=204)
def end_other_sign_ins(request: Request, services: Services, owner: Owner) -> None:
    """Ends every sign-in but the one that asks."""
    services.accounts.end_other_sign_ins(owner, keep=request.cookies.get(COOKIE, ""))


@router.delete("/me/sessions/{sign_in_id}", status_code=204)
def end_sign_in(services: Services, owner: Owner, sign_in_id: str) -> None:
    """Ends one sign-in."""
    services.accounts.end_sign_in(owner, sign_in_id)


@router.get("/me/keys")
def keys(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """Keys, without their texts."""
    return [
        {"id": row.id, "name": row.name, "shown": row.shown, "created": row.created, "used": row.used}
        for row in services.accounts.keys(owner)
    ]


@router.post("/me/keys", status_code=201)
def create_key(request: Request, services: Services, owner: Owner, body: NewKey) -> Response:
    """A new key. Its text is in this answer and nowhere else, but sealed for a repetition of the request."""
    return once(request, services, owner, body, lambda: _new_key(services, owner, body.name))


def _new_key(services: Services, owner: Person, name: str) -> dict[str, Any]:
    row, text = services.accounts.create_key(owner, name)
    return {"id": row.id, "name": row.name, "shown": row.shown, "key": text}


@router.delete("/me/keys/{key_id}", status_code=204)
def revoke_key(services: Services, owner: Owner, key_id: str) -> None:
    """Ends a key at once."""
    services.accounts.revoke_key(owner, key_id)


@router.get("/me/secrets")
def secret_names(services: Services, owner: Owner) -> list[str]:
    """Which trackers' and hubs' keys are kept. Values are never given out."""
    return services.secrets.names(owner)


@router.put("/me/secrets/{name}", status_code=204)
def put_secret(services: Services, owner: Owner, name: str, body: NewSecret) -> None:
    """Keeps a key, encrypted."""
    services.secrets.put(owner, name, body.value)


@router.delete("/me/secrets/{name}", status_code=204)
def remove_secret(services: Services, owner: Owner, name: str) -> None:
    """Forgets a key."""
    services.secrets.remove(owner, name)


@router.post("/invitations", status_code=201)
def invite(request: Request, services: Services, owner: Owner, body: NewInvitation) -> Response:
    """An invitation for one person, for an admin to pass on."""
    return once(request, services, owner, body, lambda: {"invitation": services.accounts.invite(owner, body.role)})


@router.get("/invitations")
def invitations(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """Invitations that can still be used, for an admin. Their texts were shown once."""
    return [
        {"id": row.id, "role": row.role, "created": row.created, "expires": row.expires}
        for row in services.accounts.invitations(owner)
    ]


@router.delete("/invitations/{invitation_id}", status_code=204)
def withdraw(services: Services, owner: Owner, invitation_id: str) -> None:
    """Makes an unused invitation worthless."""
    services.accounts.withdraw(owner, invitation_id)


@router.get("/users")
def users(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """All accounts, for an admin."""
    return [
        {"id": user.id, "name": user.display_name, "role": user.role, "state": user.state, "created": user.created}
        for user in services.accounts.users(owner)
    ]


@router.patch("/users/{user_id}", status_code=204)
def change_user(services: Services, owner: Owner, user_id: str, body: UserChange) -> None:
    """Changes a role, or closes or reopens an account."""
    services.accounts.set_user(owner, user_id, role=body.role, state=body.state)


@router.get("/registration")
def registration(services: Services, owner: Owner) -> dict[str, str]:
    """Who may sign up."""
    return {"who": services.accounts.registration()}


@router.put("/registration")
def set_registration(services: Services, owner: Owner, body: Registration) -> dict[str, str]:
    """Lets everybody sign up, or only who was invited."""
    services.accounts.set_registration(owner, body.who)
    return {"who": body.who}


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")[:300]
