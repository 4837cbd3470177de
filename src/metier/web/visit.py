"""Who visits a page: somebody signed in, or somebody who is led to the sign-in and back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import maybe_person, speak_to, workbench_of
from metier.workbench.accounts import Person


class ElsewhereError(Exception):
    """The page is not for this visitor now: they are sent to `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def reader(request: Request) -> Person:
    """Who reads the page. Raises ElsewhereError for who has to sign in first."""
    person = maybe_person(request)
    if person is None:
        first = workbench_of(request).accounts.is_empty()
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        after = "" if back == "/" or request.method != "GET" else f"?next={quote(back)}"
        raise ElsewhereError(("/sign-up" if first else "/sign-in") + after)
    return person


async def reader_of(request: Request, person: Annotated[Person, Depends(reader)]) -> Person:
    """Who reads the page, spoken to in their language."""
    speak_to(request, person)
    return person


def elsewhere(request: Request, error: ElsewhereError) -> Response:
    """Sends a browser on; a part of a page that HTMX asked for sends the whole page on."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": error.address})
    return RedirectResponse(error.address, 303)


def local_address(given: str) -> str:
    """`given` if it is a path of this server, else the home page."""
    if not given.startswith("/") or given.startswith("//") or "\\" in given or not given.isprintable():
        return "/"
    try:
        parts = urlsplit(given)
    except ValueError:
        return "/"
    return given if not parts.scheme and not parts.netloc and not parts.path.startswith("//") else "/"


Reader = Annotated[Person, Depends(reader_of)]
