"""What clients may send: OpenAI's requests, as far as something here can honour them.

A parameter that would change the answer and cannot be honoured is refused by name, never passed over; one that changes
nothing (`user`, `metadata`, `logprobs: false`, …) is taken. Unknown parameters are refused.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metier.data.messages import ImagePart, Message, Part, TextPart, message, picture_kind
from metier.engines.chatmodel import Request, ToolCall, ToolSpec, Turn
from metier.engines.sampling import Sampling
from metier.gateway.bounds import (
    LONGEST_STOP,
    MOST_INPUTS,
    MOST_MESSAGES,
    MOST_STOPS,
    MOST_TOKENS,
    MOST_TOOLS,
    check_schema,
)
from metier.gateway.errors import GatewayError

_MOST_PICTURE_BYTES = 3_000_000
Stop = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
_Parsed = TypeVar("_Parsed", bound=BaseModel)
Name = Annotated[str, Field(min_length=1, max_length=256)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())


class _Loose(BaseModel):
    """A part of a message: clients send back what they were given, with fields that are of no account."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Function(_Loose):
    name: str = Field(min_length=1, max_length=128, pattern=r"^[\w.-]+$")
    arguments: str = Field("", max_length=1_000_000)


class Call(_Loose):
    id: str = Field(max_length=256)
    type: Literal["function"] = "function"
    function: Function


class Address(_Loose):
    url: str


class ContentPart(_Loose):
    type: Literal["text", "image_url", "refusal"]
    text: str = ""
    refusal: str = ""
    image_url: Address | None = None


class ChatMessage(_Loose):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    tool_calls: list[Call] | None = Field(None, max_length=MOST_TOOLS)
    tool_call_id: str = Field("", max_length=256)


class ToolFunction(_Loose):
    name: str = Field(min_length=1, max_length=128, pattern=r"^[\w.-]+$")
    description: str | None = Field(None, max_length=20_000)
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Body):
    type: Literal["function"]
    function: ToolFunction


class JsonSchema(_Loose):
    name: str = Field("answer", max_length=128)
    schema_: dict[str, Any] = Field(alias="schema")


class ResponseFormat(_Body):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(_Body):
    include_usage: bool = False
    include_obfuscation: bool = False


class _Generation(_Body):
    """What both kinds of completions share."""

    model: Name
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1, le=100_000)
    repetition_penalty: float | None = Field(None, gt=0, le=10)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    presence_penalty: Literal[0] | float | None = Field(None, ge=0, le=0)
    frequency_penalty: Literal[0] | float | None = Field(None, ge=0, le=0)
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    user: str | None = Field(None, max_length=1_000)

    @property
    def most_tokens(self) -> int | None:
        return self.max_tokens

    def sampling(self, default: Sampling) -> Sampling:
        """The default with what was asked for; another draw each time unless a seed is given."""
        asked = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "repetition_penalty": self.repetition_penalty,
            "max_new_tokens": self.most_tokens,
            "stop": None if self.stop is None else (self.stop,) if isinstance(self.stop, str) else tuple(self.stop),
            "seed": secrets.randbelow(2**31) if self.seed is None else self.seed,
        }
        return default.model_copy(update={name: value for name, value in asked.items() if value is not None})


class ChatBody(_Generation):
    """A body of `/v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_completion_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    tools: list[Tool] | None = Field(None, max_length=MOST_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    enable_thinking: bool | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None

    @property
    def most_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def request(self, default: Sampling) -> Request:
        """What a model is asked. Raises GatewayError for a message, tool or schema that cannot be."""
        tools = self.tools or []
        for place, tool in enumerate(tools):
            check_schema(tool.function.parameters or {}, f"tools[{place}].function.parameters")
        return Request(
            tuple(_turn(one, place) for place, one in enumerate(self.messages)),
            self.sampling(default),
            tuple(
                ToolSpec(t.function.name, t.function.description or "", t.function.parameters or {"type": "object"})
                for t in tools
            ),
            self.tool_choice or "auto",
            self.schema_asked,
            self.enable_thinking,
        )

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        """The JSON schema that the answer has to follow."""
        wanted = self.response_format
        if wanted is None or wanted.type == "text":
            return None
        if wanted.type == "json_object":
            return {"type": "object"}
        if wanted.json_schema is None:
            raise GatewayError("gateway.bad_value", param="response_format.json_schema", problem="required")
        return check_schema(wanted.json_schema.schema_, "response_format")


class CompletionBody(_Generation):
    """A body of `/v1/completions`: one prompt."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    logprobs: Literal[0] | None = None
    echo: Literal[False] | None = None
    suffix: Literal[""] | None = None

    @property
    def text(self) -> str:
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    def request(self, default: Sampling) -> Request:
        """The prompt as one message: what speaks here was taught to converse."""
        return Request((Turn(message("user", self.text)),), self.sampling(default))


class EmbeddingBody(_Body):
    """A body of `/v1/embeddings`."""

    model: Name
    input: str | Annotated[list[str], Field(min_length=1, max_length=MOST_INPUTS)]
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = Field(None, max_length=1_000)

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


def parse(kind: type[_Parsed], body: bytes) -> _Parsed:
    """A request's body, checked. Raises GatewayError that names the first wrong parameter."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = ".".join(str(part) for part in first["loc"][:6] if part not in ("str", "list"))[:120]
        if first["type"] == "extra_forbidden":
            raise GatewayError("gateway.unknown_parameter", code="unknown_parameter", param=param) from None
        if first["type"] == "json_invalid":
            raise GatewayError("gateway.bad_json") from None
        raise GatewayError("gateway.bad_value", param=param or None, problem=first["msg"][:200]) from None


def _turn(one: ChatMessage, place: int) -> Turn:
    role = "system" if one.role == "developer" else one.role
    calls = tuple(ToolCall(c.id, c.function.name, c.function.arguments) for c in one.tool_calls or ())
    content = one.content
    if content is None and not calls and one.role != "assistant":
        raise GatewayError("gateway.bad_value", param=f"messages.{place}.content", problem="required")
    if content is None or isinstance(content, str):
        return Turn(message(role, content or ""), calls, one.tool_call_id)
    parts = tuple(_part(part, place) for part in content)
    if all(isinstance(part, TextPart) for part in parts):
        return Turn(message(role, "".join(p.text for p in parts if isinstance(p, TextPart))), calls, one.tool_call_id)
    return Turn(Message(role, parts), calls, one.tool_call_id)


def _part(part: ContentPart, place: int) -> Part:
    """Text, or a picture that comes along: an address is never fetched, neither here nor by a server behind."""
    if part.type != "image_url":
        return TextPart(part.text or part.refusal)
    url = part.image_url.url if part.image_url else ""
    head, comma, data = url.partition(",")
    param = f"messages.{place}.content"
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise GatewayError("gateway.remote_picture", param=param)
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise GatewayError("gateway.remote_picture", param=param) from None
    if len(content) > _MOST_PICTURE_BYTES or picture_kind(content) is None:
        raise GatewayError("gateway.remote_picture", param=param)
    return ImagePart(data=content)
