"""medical_o1_sft (FreedomIntelligence/medical-o1-reasoning-SFT): Question, Complex_CoT, Response.

The reasoning goes into the answer as `<think>…</think>`; without reasoning the answer stands alone.
"""

from __future__ import annotations

from metier.data.layout import Format
from metier.data.readers.alpaca import read_alpaca

MEDICAL_O1_SFT = Format(
    name="medical_o1_sft",
    columns={"prompt": "Question", "reasoning": "Complex_CoT", "response": "Response", "system": "system"},
    required=("prompt", "reasoning", "response"),
    read=read_alpaca,
    mappable=("images", "meta", "id"),
)
