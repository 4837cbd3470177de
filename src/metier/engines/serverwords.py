"""What is asked of a model, in the words of OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from metier.engines.chatmodel import Request, Turn

# What servers know that keep to the letter of the protocol; the others are left out for them.
_PLAIN = frozenset(
    {"model", "messages", "stream", "max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
     "response_format"}
)  # fmt: skip


def to_request(request: Request, model: str, *, max_tokens: int) -> dict[str, Any]:
    """The body of a streamed request. `max_tokens` is always there: some servers answer with 16 tokens without it."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [to_message(turn) for turn in request.turns],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_k > 0 and sampling.temperature > 0:
        body["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0:
        body["repetition_penalty"] = sampling.repetition_penalty
    if request.enable_thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": request.enable_thinking}
    if request.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
            for t in request.tools
        ]
        body["tool_choice"] = request.tool_choice
    if request.schema is not None:
        named = {"name": "answer", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body


def plain_request(body: dict[str, Any]) -> dict[str, Any]:
    """The same without what only some servers know."""
    return {name: value for name, value in body.items() if name in _PLAIN}


def to_message(turn: Turn) -> dict[str, Any]:
    """A message, with its tool calls or the id of the call that it answers."""
    said = turn.message.to_openai()
    if turn.calls:
        said["content"] = said["content"] or None
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.calls
        ]
    if turn.call_id:
        said["tool_call_id"] = turn.call_id
    return said
