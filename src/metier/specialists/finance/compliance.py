"""Rules in plain words, each answered with evidence from the pages, or “not found”.

    rule ─► sentences and table rows that say most of its words ─► evidence with its place
        └─► a limit (`资产负债率不超过70%`) on a line of a table ─► met or broken, by the figure in its cell
        └─► a line that must have grown or fallen ─► met or broken, by the figures of both years

What is found is evidence to read, no judgement of law. With a model the rule is judged from that evidence alone, and
its quotation must stand there word for word.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from metier.core.errors import DataError, MetierError
from metier.core.yamltext import parse_yaml
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.finance.evidence import Evidence, split_sentences
from metier.specialists.finance.limits import by_figure
from metier.specialists.finance.schema import Findings, Quote, RuleAnswer, Spot
from metier.specialists.finance.structured import structured_answer
from metier.specialists.finance.telling import Teller, spot
from metier.specialists.words import units

MOST_RULES = 500
LONGEST_RULE = 1000
FOUND = 0.5  # of a rule's words, by weight, that evidence says at least
_MOST_QUOTES = 3
_ASKS_ONLY = re.compile(
    r"报告|披露|说明|应当?|必须|须|需要?|是否|公司|列示|包括|"
    r"\b(?:the|report|must|should|shall|disclose[sd]?|state[sd]?|whether|company|that|is|are|be|has|have|of|a|an|its|any)\b",
    re.IGNORECASE,
)


def read_rules(path: Path) -> list[str]:
    """The rules in a file: a YAML list (of texts, or of mappings with `rule`), or a text file with a rule a line.

    Raises DataError for a file that cannot be read, has none, or too many.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError("specialists.finance_rules_absent", file=path) from error
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise DataError("specialists.finance_rules_unreadable", file=path, problem=problem) from error
    if path.suffix.lower() in (".yaml", ".yml"):
        said = parse_yaml(text)
        listed = said.get("rules") if isinstance(said, dict) else said
        rules = [one.get("rule", "") if isinstance(one, dict) else one for one in listed or []]
    else:
        lines = (line.strip() for line in text.splitlines())
        rules = [re.sub(r"^(?:[-*•]|\d+[.、)])\s*", "", line) for line in lines if line and not line.startswith("#")]
    if not rules or not all(isinstance(rule, str) and rule.strip() for rule in rules):
        raise DataError("specialists.finance_rules_none", file=path)
    if len(rules) > MOST_RULES or any(len(rule) > LONGEST_RULE for rule in rules):
        raise DataError("specialists.finance_rules_many", file=path, rules=MOST_RULES, characters=LONGEST_RULE)
    return [" ".join(rule.split()) for rule in rules]


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence of the text, or a row of a table."""

    text: str
    words: frozenset[str]
    place: Spot


def check_rules(rules: Sequence[str], evidence: Evidence, tell: Teller) -> list[RuleAnswer]:
    """Each rule with what the report says about it."""
    pool = _pool(evidence)
    seen = Counter(word for one in pool for word in one.words)
    weights = {word: math.log((1 + len(pool)) / (0.5 + count)) for word, count in seen.items()}
    return [by_figure(rule, evidence, tell) or _found(rule, pool, weights, len(pool), tell) for rule in rules]


def _pool(evidence: Evidence) -> list[_Said]:
    pool = []
    for text in evidence.texts:
        at = 0
        for sentence in split_sentences(text.text):
            at = text.text.index(sentence, at)
            said = " ".join(sentence.split())
            place = Spot(page=text.page, start=text.start + at, end=text.start + at + len(sentence.rstrip()))
            pool.append(_Said(said, frozenset(units(said)), place))
            at += len(sentence)
    for sheet in evidence.sheets:
        for line in sheet.lines():
            said = " ".join(
                [line.name, *(f"{entry.period or entry.column} {entry.amount.text}" for entry in line.entries)]
            )
            pool.append(_Said(said, frozenset(units(f"{sheet.title} {said}")), spot(line.entries[0].place)))
    return pool


def _found(rule: str, pool: Sequence[_Said], weights: dict[str, float], total: int, tell: Teller) -> RuleAnswer:
    """The sentences that say most of the rule's words, rare words counting more."""
    wanted = set(units(_ASKS_ONLY.sub(" ", rule))) or set(units(rule))
    rare = math.log((1 + total) / 0.5)
    sizes = {word: weights.get(word, rare) for word in wanted}
    whole = sum(sizes.values()) or 1.0
    scored = [(sum(sizes[word] for word in wanted & one.words) / whole, one) for one in pool]
    good = sorted((pair for pair in scored if pair[0] >= FOUND), key=lambda pair: -pair[0])[:_MOST_QUOTES]
    quotes = [Quote(text=one.text[:400], place=one.place, support=round(share, 2)) for share, one in good]
    if not quotes:
        return RuleAnswer(rule=rule, status="not_found", text=tell.say("rule_not_found"))
    return RuleAnswer(
        rule=rule, status="found", text=tell.say("rule_found", page=quotes[0].place.page), evidence=quotes
    )


class _Judged(BaseModel):
    """What a model is held to when it judges a rule from evidence."""

    model_config = ConfigDict(extra="forbid")
    status: Literal["met", "broken", "unclear"]
    quote: str
    reason: str


async def judge_rules(findings: Findings, model: ChatModel, tell: Teller) -> None:
    """Lets a model judge the rules that evidence was found for. A quotation that does not stand in it is not taken;
    that judgements were left out, or that the model failed, is said in the notices."""
    left_out = 0
    for answer in findings.rules:
        if answer.status != "found":
            continue
        shown_evidence = "\n".join(f"[{number}] {quote.text}" for number, quote in enumerate(answer.evidence, 1))
        turn = Turn(message("user", tell.say("rule_judge", rule=answer.rule, evidence=shown_evidence)))
        try:
            judged = await structured_answer(model, (turn,), _Judged, min(400, model.context_length // 4))
        except ValueError:
            left_out += 1
            continue
        except MetierError as error:
            problem = error.text(tell.language)
            findings.notices.append(tell.say("rules_not_judged", model=model.name, problem=problem))
            break
        quote = " ".join(judged.quote.split())
        if not quote or not any(quote in one.text for one in answer.evidence):
            left_out += 1
            continue
        answer.status, answer.by = judged.status, "model"
        answer.text = f"{judged.reason.strip()} “{quote}”"
    if left_out:
        findings.notices.append(tell.say("rules_left_out", model=model.name, count=left_out))
