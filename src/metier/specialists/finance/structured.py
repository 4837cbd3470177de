"""A model's answer held to a JSON schema, as the object that the schema was made from."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel

from metier.engines.chatmodel import ChatModel, Request, Turn, whole_answer
from metier.engines.sampling import Sampling

Wanted = TypeVar("Wanted", bound=BaseModel)


async def structured_answer(model: ChatModel, turns: tuple[Turn, ...], wanted: type[Wanted], tokens: int) -> Wanted:
    """The likeliest answer of `tokens` at most, without what a model put around its JSON.

    Raises ValueError for an answer that does not keep to the schema, and what the model raises.
    """
    sampling = Sampling(temperature=0.0, max_new_tokens=tokens)
    request = Request(turns, sampling, schema=wanted.model_json_schema(), enable_thinking=False)
    said = await whole_answer(model, request)
    start, end = said.find("{"), said.rfind("}")
    if start < 0 or end < start:
        raise ValueError("no object")
    return wanted.model_validate(json.loads(said[start : end + 1]))
