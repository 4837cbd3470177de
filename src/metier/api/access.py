"""Who asks, for routes: by the cookie of a browser or the key of a program."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from metier.api.guard import COOKIE, LANGUAGE_COOKIE
from metier.core.i18n import use_language
from metier.workbench.accounts import SIGNED_IN_DAYS, Person
from metier.workbench.errors import NotSignedInError
from metier.workbench.workbench import Workbench


def workbench_of(request: Request) -> Workbench:
    """The services behind this application."""
    return request.app.state.workbench  # type: ignore[no-any-return]


def maybe_person(request: Request) -> Person | None:
    """Who asks, or None where nobody signed in. A key counts before a cookie, and a wrong one is not passed over."""
    accounts = workbench_of(request).accounts
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, key = given.partition(" ")
        return accounts.person_of_key(key.strip()) if scheme.lower() == "bearer" else None
    token = request.cookies.get(COOKIE, "")
    return accounts.person_of_token(token) if 0 < len(token) <= 200 else None


def signed_in(request: Request) -> Person:
    """Who asks. Raises NotSignedInError."""
    person = maybe_person(request)
    if person is None:
        by_key = "authorization" in request.headers
        raise NotSignedInError("workbench.unknown_key" if by_key else "workbench.not_signed_in")
    return person


def speak_to(request: Request, person: Person) -> None:
    """The account's language, unless this browser has chosen another. Only for what runs in the request's own context:
    a function in a thread would set it for itself alone."""
    if person.language in ("en", "zh") and LANGUAGE_COOKIE not in request.cookies:
        use_language(person.language)  # type: ignore[arg-type]


async def owner_of(request: Request, person: Annotated[Person, Depends(signed_in)]) -> Person:
    """Who asks, spoken to in their language."""
    speak_to(request, person)
    return person


def client_address(request: Request) -> str:
    """The address of who asks; what a proxy says of it counts only where that proxy is trusted."""
    address = request.client.host if request.client else ""
    if address in workbench_of(request).settings.trusted_proxies:
        forwarded = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
        return forwarded or address
    return address


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Signs a browser in."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SIGNED_IN_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=workbench_of(request).settings.https,
        path="/",
    )


Services = Annotated[Workbench, Depends(workbench_of)]
Owner = Annotated[Person, Depends(owner_of)]
Visitor = Annotated[Person | None, Depends(maybe_person)]
