"""What a specialist is: model, prompt, knowledge, tools and the rules of its answers. One definition for YAML, command
line, REST and pages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from metier.core.specs import Spec
from metier.engines.sampling import Sampling


class Texts(Spec):
    """A text in both languages."""

    en: str = ""
    zh: str = ""


class ServerModel(Spec):
    """A model behind an OpenAI-compatible server. model: its name there, empty takes the first one listed; api_key:
    the NAME of an environment variable or of a secret of the account, never the key itself."""

    address: str
    model: str = ""
    api_key: str = ""
    context_length: int = Field(default=8192, ge=256)

    @model_validator(mode="before")
    @classmethod
    def _by_its_address(cls, value: Any) -> Any:
        """An address alone is a server too: `server: http://host:8000/v1`."""
        return {"address": value} if isinstance(value, str) else value


class Retrieval(Spec):
    """How knowledge is searched. limit: passages an answer may rest on; min_support: lexical support below which
    nothing counts as found, 0 to 1; rewrite: let the model write the search query; rerank: a cross-encoder, or none."""

    limit: int = Field(default=6, ge=1, le=50)
    min_support: float = Field(default=0.4, ge=0.0, le=1.0)
    rewrite: bool = False
    rerank: str = ""
    titles: tuple[str, ...] = ()


class Escalation(Spec):
    """Words that call for a person. when: any of these in the question; say: what is said first."""

    when: tuple[str, ...]
    say: Texts


class AnswerRules(Spec):
    """What an answer must keep to.

    cite: every claim carries [n]; unsupported: what happens to a sentence without support; abstain: say so where
    nothing is found, instead of answering from memory; quote: answer in quotations (`auto`: where the model is too weak
    to cite); ask_model: about sentences of which words alone do not tell whether they are borne out; disclaimer: said
    after each answer; escalate: words that call for a person; format: asked of the model.
    """

    cite: bool = True
    unsupported: Literal["mark", "remove", "keep"] = "mark"
    abstain: bool = True
    quote: Literal["auto", "always", "never"] = "auto"
    ask_model: bool = True
    disclaimer: Texts = Texts()
    escalate: tuple[Escalation, ...] = ()
    format: Texts = Texts()


class Specialist(Spec):
    """What people chat with, measure and serve.

    name: letters, digits and hyphens; model_name_or_path, adapter_name_or_path: as everywhere (`run:<id>` in the
    workbench); server: instead of them; knowledge: names of knowledge bases; tools: names in the registry; examples:
    questions to begin with; findings: a file that it is asked about becomes structured findings, each figure checked.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: Texts = Texts()
    description: Texts = Texts()
    model_name_or_path: str = "smollm2-135m"
    adapter_name_or_path: str | None = None
    server: ServerModel | None = None
    system_prompt: str = ""
    sampling: Sampling = Sampling(temperature=0.0)
    enable_thinking: bool | None = None
    knowledge: tuple[str, ...] = ()
    retrieval: Retrieval = Retrieval()
    tools: tuple[str, ...] = ()
    rules: AnswerRules = AnswerRules()
    examples: tuple[str, ...] = ()
    findings: bool = False
