"""Signing up, in and out; language and theme."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services, Visitor, client_address, set_cookie
from metier.api.guard import COOKIE, LANGUAGE_COOKIE
from metier.api.problems import status_of
from metier.core.errors import UserError
from metier.web.render import THEME_COOKIE, THEMES, page
from metier.web.visit import local_address

router = APIRouter()
_YEAR = 31_536_000
Text = Annotated[str, Form(max_length=2000)]


@router.get("/sign-in")
def sign_in_page(request: Request, services: Services, visitor: Visitor, next: str = "/") -> Response:
    """The form; who is signed in is sent on."""
    if visitor is not None:
        return RedirectResponse(local_address(next), 303)
    if services.accounts.is_empty():
        return RedirectResponse("/sign-up", 303)
    return page(request, "sign_in.html", next=local_address(next), name="", problem="")


@router.post("/sign-in")
def sign_in(request: Request, services: Services, name: Text, password: Text, next: Text = "/") -> Response:
    """Signs in, or shows the form again with what was wrong."""
    try:
        token = services.accounts.sign_in(
            name, password, address=client_address(request), agent=request.headers.get("user-agent", "")
        )
    except UserError as error:
        wait = error.fields.get("retry_after_seconds")
        answer = page(
            request, "sign_in.html", status=status_of(error), next=local_address(next), name=name, problem=error.text()
        )
        if wait:
            answer.headers["Retry-After"] = str(wait)
        return answer
    response = RedirectResponse(local_address(next), 303)
    set_cookie(request, response, token)
    return response


@router.get("/sign-up")
def sign_up_page(request: Request, services: Services, visitor: Visitor, invitation: str = "") -> Response:
    """The form for a new account; the first one is told that it becomes admin."""
    if visitor is not None and not invitation:
        return RedirectResponse("/", 303)
    return page(
        request,
        "sign_up.html",
        first=services.accounts.is_empty(),
        open=services.accounts.registration() == "open",
        invitation=invitation[:200],
        name="",
        problem="",
    )


@router.post("/sign-up")
def sign_up(request: Request, services: Services, name: Text, password: Text, invitation: Text = "") -> Response:
    """Signs up and in."""
    try:
        person = services.accounts.sign_up(
            name, password, invitation=invitation, language=request.cookies.get(LANGUAGE_COOKIE, "")
        )
    except UserError as error:
        return page(
            request,
            "sign_up.html",
            status=status_of(error),
            first=services.accounts.is_empty(),
            open=services.accounts.registration() == "open",
            invitation=invitation[:200],
            name=name,
            problem=error.text(),
        )
    response = RedirectResponse("/", 303)
    set_cookie(request, response, services.accounts.sign_in_as(person, agent=request.headers.get("user-agent", "")))
    return response


@router.post("/sign-out")
def sign_out(request: Request, services: Services) -> Response:
    """Signs out."""
    token = request.cookies.get(COOKIE, "")
    if token:
        services.accounts.sign_out(token)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post("/language")
def language(request: Request, services: Services, visitor: Visitor, to: Text, next: Text = "/") -> Response:
    """Another language, at once and from now on."""
    response = RedirectResponse(local_address(next), 303)
    if to in ("en", "zh"):
        response.set_cookie(LANGUAGE_COOKIE, to, max_age=_YEAR, samesite="lax", path="/")
        if visitor is not None:
            services.accounts.set_language(visitor, to)
    return response


@router.post("/theme")
def theme(to: Text, next: Text = "/") -> Response:
    """Light, dark, or as the system has it."""
    response = RedirectResponse(local_address(next), 303)
    if to in THEMES:
        response.set_cookie(THEME_COOKIE, to, max_age=_YEAR, samesite="lax", path="/")
    return response
