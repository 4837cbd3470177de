"""The order of speakers that a set must keep to be trained on or asked."""

from __future__ import annotations

from collections.abc import Sequence

from metier.data.messages import Message
from metier.data.rows import RawRow


def check_turns(row: RawRow, messages: Sequence[Message], *, require_answers: bool) -> None:
    """Raises DataError with the record's place.

    An optional system message, then user and assistant in turn; tool results (one or more) stand where a user
    would. The last message is the assistant's unless `require_answers` is off. No empty question, no empty answer.
    """
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    expected, previous = "user", ""
    for number, turn in enumerate(turns, 1 + len(messages) - len(turns)):
        asks = turn.role in ("user", "tool")
        follows_tool = turn.role == "tool" and previous == "tool"
        if turn.role == "system" or (not follows_tool and asks != (expected == "user")):
            raise row.error("turn_order", number=number, found=turn.role, expected=expected)
        if turn.role == "tool" and not previous:
            raise row.error("turn_order", number=number, found="tool", expected="user")
        if turn.role != "tool" and not turn.text.strip() and not turn.images:
            raise row.error("empty_question" if asks else "empty_answer", number=number)
        expected, previous = ("assistant" if asks else "user"), turn.role
    if not turns:
        raise row.error("no_messages")
    if require_answers and turns[-1].role != "assistant":
        raise row.error("missing_answer", last=turns[-1].role)
