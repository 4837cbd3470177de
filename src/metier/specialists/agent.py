"""A model that may call tools: pydantic-ai runs the loop, our `ChatModel` answers in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic_ai import Agent, Tool, UsageLimits
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage, RunUsage

from metier.core.errors import ModelError
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Delta, FinishedBy, Request, ToolCall, ToolSpec, Turn, Usage

# A model that has not answered after so many rounds is going in circles.
_ROUNDS = 6
_CALLS = 12

UseTool = Callable[[ToolSpec, dict[str, Any]], str]


class ChatModelAdapter(Model):
    """Our chat model as pydantic-ai's. request: sampling, tools and system prompt of each round are taken from it."""

    def __init__(self, model: ChatModel, request: Request) -> None:
        super().__init__()
        self._model = model
        self._asked = request
        self.finished_by: FinishedBy = "stop"

    @property
    def model_name(self) -> str:
        return self._model.name

    @property
    def system(self) -> str:
        return "metier"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        async with self.request_stream(messages, model_settings, model_request_parameters) as response:
            async for _ in response:
                pass
            return response.get()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncGenerator[StreamedResponse, None]:
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        request = replace(self._asked, turns=tuple(to_turns(messages)))
        async with aclosing(self._model.stream(request)) as deltas:
            yield _Streamed(model_request_parameters=parameters, adapter=self, deltas=deltas)


@dataclass
class _Streamed(StreamedResponse):
    """Deltas as pydantic-ai's events."""

    adapter: ChatModelAdapter
    deltas: AsyncGenerator[Delta, None]
    _timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        parts = self._parts_manager
        async for delta in self.deltas:
            if delta.kind == "answer" and delta.text:
                for event in parts.handle_text_delta(vendor_part_id="answer", content=delta.text):
                    yield event
            elif delta.kind == "thinking" and delta.text:
                for event in parts.handle_thinking_delta(vendor_part_id="thinking", content=delta.text):
                    yield event
            elif delta.kind == "call" and delta.call is not None:
                call = delta.call
                yield parts.handle_tool_call_part(
                    vendor_part_id=call.id, tool_name=call.name, args=call.arguments, tool_call_id=call.id
                )
            elif delta.kind == "end":
                self.adapter.finished_by = delta.finished_by or "stop"
                if delta.usage:
                    self._usage = RequestUsage(
                        input_tokens=delta.usage.prompt_tokens, output_tokens=delta.usage.completion_tokens
                    )

    async def close_stream(self) -> None:
        await self.deltas.aclose()

    @property
    def model_name(self) -> str:
        return self.adapter.model_name

    @property
    def provider_name(self) -> str:
        return self.adapter.system

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._timestamp


async def write_with_tools(model: ChatModel, request: Request, use: UseTool) -> AsyncGenerator[Delta, None]:
    """The model's answer while it calls tools; the last delta is `end`, with the usage of all rounds.

    request: its last turn is the question; use: calls a tool and returns what the model reads of it. Raises ModelError
    where the model goes in circles or calls what is not there.
    """
    system = "\n\n".join(turn.message.text for turn in request.turns if turn.message.role == "system")
    *before, asked = [turn for turn in request.turns if turn.message.role != "system"]
    adapter = ChatModelAdapter(model, request)
    agent: Agent[object, str] = Agent(adapter, tools=[_tool(spec, use) for spec in request.tools], retries=2)
    spent = RunUsage()
    history = [ModelRequest(parts=[SystemPromptPart(system)]), *to_messages(before)] if system else to_messages(before)
    limits = UsageLimits(request_limit=_ROUNDS, tool_calls_limit=_CALLS)
    try:
        async with agent.run_stream_events(
            asked.message.text, message_history=history, usage_limits=limits, usage=spent
        ) as events:
            async for event in events:
                if delta := _delta(event):
                    yield delta
    except AgentRunError as error:
        raise ModelError("specialists.tool_loop", model=model.name, problem=str(error)) from error
    yield Delta("end", finished_by=adapter.finished_by, usage=Usage(spent.input_tokens, spent.output_tokens))


def to_turns(messages: Sequence[ModelMessage]) -> list[Turn]:
    """pydantic-ai's messages as turns of ours."""
    turns: list[Turn] = []
    for one in messages:
        if isinstance(one, ModelResponse):
            said = "".join(part.content for part in one.parts if isinstance(part, TextPart))
            calls = tuple(
                ToolCall(part.tool_call_id, part.tool_name, part.args_as_json_str())
                for part in one.parts
                if isinstance(part, ToolCallPart)
            )
            turns.append(Turn(message("assistant", said), calls))
            continue
        for asked in one.parts:
            if isinstance(asked, SystemPromptPart):
                turns.append(Turn(message("system", asked.content)))
            elif isinstance(asked, UserPromptPart):
                turns.append(Turn(message("user", _text(asked))))
            elif isinstance(asked, ToolReturnPart):
                turns.append(Turn(message("tool", asked.model_response_str()), call_id=asked.tool_call_id))
            elif isinstance(asked, RetryPromptPart):
                said = asked.model_response()
                turns.append(
                    Turn(message("tool", said), call_id=asked.tool_call_id)
                    if asked.tool_name
                    else Turn(message("user", said))
                )
    return turns


def to_messages(turns: Sequence[Turn]) -> list[ModelMessage]:
    """Turns of an earlier conversation as pydantic-ai's messages."""
    messages: list[ModelMessage] = []
    for turn in turns:
        text = turn.message.text
        if turn.message.role == "assistant":
            calls = [ToolCallPart(call.name, call.arguments, tool_call_id=call.id) for call in turn.calls]
            messages.append(ModelResponse(parts=[TextPart(text), *calls]))
        elif turn.message.role == "user":
            messages.append(ModelRequest(parts=[UserPromptPart(text)]))
    return messages


def _tool(spec: ToolSpec, use: UseTool) -> Tool[object]:
    def call(**arguments: Any) -> str:
        return use(spec, arguments)

    return Tool.from_schema(call, spec.name, spec.description, spec.parameters, sequential=True)


def _delta(event: object) -> Delta | None:
    """Text and thinking of an event; calls were told by the tool itself."""
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart | ThinkingPart) and event.part.content:
        return Delta("thinking" if isinstance(event.part, ThinkingPart) else "answer", event.part.content)
    if isinstance(event, PartDeltaEvent):
        if isinstance(event.delta, TextPartDelta):
            return Delta("answer", event.delta.content_delta)
        if isinstance(event.delta, ThinkingPartDelta) and event.delta.content_delta:
            return Delta("thinking", event.delta.content_delta)
    return None


def _text(part: UserPromptPart) -> str:
    return (
        part.content if isinstance(part.content, str) else "".join(one for one in part.content if isinstance(one, str))
    )
