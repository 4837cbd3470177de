"""What programs may ask: each specialist's name and address, whether its model is loaded, and code to copy."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from metier.api.access import Services
from metier.api.routes.chats import state_view
from metier.core.errors import UserError
from metier.specialists.store import StoredSpecialist
from metier.web.pages.assistant import title_of
from metier.web.render import page, say
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench

router = APIRouter(prefix="/services")
_TEXTS = ("loaded", "not_loaded", "waiting", "loading", "start", "stop", "give_up", "wait", "cancel")


@router.get("")
def services_page(request: Request, services: Services, person: Reader, name: str = "") -> Response:
    """All specialists as services. name: which the code asks for."""
    shown = [_service(services, person, one) for one in services.specialists.list(person)]
    names = [one["name"] for one in shown]
    chosen = name if name in names else ("legal" if "legal" in names else names[0])
    base = f"{services.settings.site}/v1"
    seeing = next((one for one in services.chats.models.choices(person) if one.pictures and one.here), None)
    return page(
        request,
        "services.html",
        person,
        shown=shown,
        chosen=chosen,
        base=base,
        seeing=seeing,
        picture_code=_picture_code(base, seeing.reference) if seeing else "",
        state=state_view(services, person),
        keys=services.accounts.keys(person),
        texts={one: say(f"services_{one}") for one in _TEXTS},
    )


def _picture_code(base: str, model: str) -> str:
    """How a picture is sent to a vision model, for a terminal."""
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,$(base64 -w0 chart.png)"}},
        {"type": "text", "text": say("services_picture_question")},
    ]
    body = {"model": model, "max_tokens": 300, "messages": [{"role": "user", "content": parts}]}
    lines = [
        f"curl {base}/chat/completions",
        '-H "Authorization: Bearer $METIER_API_KEY"',
        '-H "Content-Type: application/json"',
        f"-d @- <<END\n{json.dumps(body, ensure_ascii=False, indent=1)}\nEND",
    ]
    return " \\\n  ".join(lines)


def _service(services: Workbench, person: Person, stored: StoredSpecialist) -> dict[str, Any]:
    """One specialist: its name and title, and the models that it needs loaded (none where a server has it)."""
    specialist = stored.specialist
    shown: dict[str, Any] = {
        "name": specialist.name, "title": title_of(stored), "version": stored.version, "references": [], "problem": "",
        "server": specialist.server.address if specialist.server else "", "knowledge": specialist.knowledge,
    }  # fmt: skip
    if specialist.server is None:
        try:
            weights = services.specialists.weights(person, specialist)
            shown |= {"references": [one.reference for one in weights.values()], "model": weights["left"].title}
        except UserError as error:  # its run has been removed
            shown |= {"model": "", "problem": str(error)}
    else:
        shown["model"] = specialist.server.model or specialist.server.address
    return shown
