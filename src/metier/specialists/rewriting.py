"""A search query that the model writes from the conversation, beside those that are the user's own words."""

from __future__ import annotations

from collections.abc import Sequence

from metier.core.errors import MetierError
from metier.core.i18n import Language, translate
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Request, Turn, whole_answer
from metier.engines.sampling import Sampling

_SHORT = Sampling(temperature=0.0, max_new_tokens=64)
_LONGEST = 200
_REMEMBERED = 2000


async def written_query(model: ChatModel, turns: Sequence[Turn], language: Language) -> str:
    """One line of search words for the last question, empty where the model fails or says nothing usable."""
    talk = "\n".join(f"{turn.message.role}: {turn.message.text}" for turn in turns)[-_REMEMBERED:]
    asked = translate("specialists.write_query", language=language, conversation=talk)
    request = Request((Turn(message("user", asked)),), _SHORT, enable_thinking=False)
    try:
        told = await whole_answer(model, request)
    except MetierError:
        return ""
    lines = [line.strip(" \"'“”") for line in told.splitlines() if line.strip()]
    return lines[0] if lines and len(lines[0]) <= _LONGEST else ""
