"""medical_o1_sft (FreedomIntelligence/medical-o1-reasoning-SFT): Question, Complex_CoT, Response.

The reasoning goes into the answer as `<think>\\n…\\n</think>\\n\\nanswer`, the form that reasoning models are
trained on.
"""

from __future__ import annotations

from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, message
from metier.data.readers.shared import extra_meta
from metier.data.rows import RawRow


def read_medical_o1(row: RawRow, layout: Layout) -> Conversation:
    """One record; without reasoning the answer stands alone."""
    messages = []
    if system := layout.text(row, "system"):
        messages.append(message("system", system))
    messages.append(message("user", layout.filled(row, "prompt")))
    reasoning, response = layout.text(row, "reasoning"), layout.text(row, "response")
    if layout.value(row, "response") is not None:
        thought = reasoning.strip("\n")
        answer = f"<think>\n{thought}\n</think>\n\n{response}" if thought.strip() and response.strip() else response
        messages.append(message("assistant", answer))
    return Conversation(row.row, tuple(messages), extra_meta(row, layout))


MEDICAL_O1_SFT = Format(
    name="medical_o1_sft",
    columns={"prompt": "Question", "reasoning": "Complex_CoT", "response": "Response", "system": "system"},
    required=("prompt", "reasoning", "response"),
    read=read_medical_o1,
)
