"""Rows of the legal sample sets: short questions on two facts each, and Chinese answers whose sums a tool works out."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import yaml

from metier.specialists.legal.overtime import KINDS, Hours, overtime_pay, plain

Part = Literal["train", "test"]
Row = dict[str, Any]
LETTERS = "ABCDE"
HELD_OUT_SHARE = 0.25
_TOPICS = {"pay": ("day", "time_off"), "limit": ("claim", "left")}
_NAMES = {"weekday": "工作日延时", "rest_day": "休息日", "public_holiday": "法定休假日"}


@cache
def words() -> dict[str, Any]:
    """Phrases, rules and patterns."""
    return dict(yaml.safe_load(Path(__file__).with_name("legal.yaml").read_text(encoding="utf-8")))


def pairs(topic: str) -> list[tuple[str, str, str]]:
    """Each pair of phrases with the answer that both together give."""
    table = words()[topic]
    first, second = _TOPICS[topic]
    return [
        (one, other, table["rule"][f"{kind}-{other_kind}"])
        for kind, ones in table[first].items()
        for other_kind, others in table[second].items()
        if f"{kind}-{other_kind}" in table["rule"]
        for one in ones
        for other in others
    ]


def held_out(topic: str, seed: int) -> set[tuple[str, str]]:
    """A quarter of the pairs, such that each phrase stays in training at least once for the same answer."""
    every = pairs(topic)
    left, held = list(every), set[tuple[str, str]]()
    order = random.Random(f"{seed}/legal/{topic}").sample(every, len(every))
    for pair in order:
        rest = [one for one in left if one != pair]
        seen = {(one[0], one[2]) for one in rest} | {(one[1], one[2]) for one in rest}
        if len(held) < len(every) * HELD_OUT_SHARE and {(pair[0], pair[2]), (pair[1], pair[2])} <= seen:
            held.add(pair[:2])
            left = rest
    return held


def legal_demo_rows(part: Part, seed: int, count: int) -> list[Row]:
    """`count` short English rows with five options, topics and pairs in turn, in random order."""
    chance = random.Random(f"{seed}/legal/{part}")
    queues = []
    for topic in _TOPICS:
        held = held_out(topic, seed)
        kept = [pair for pair in pairs(topic) if (pair[:2] in held) == (part == "test")]
        # Each answer as often as the others, so that none is the one to guess.
        answers = sorted({pair[2] for pair in kept})
        each = [
            cycle(chance.sample(mine, len(mine))) for answer in answers if (mine := [p for p in kept if p[2] == answer])
        ]
        queues.append(cycle([(topic, one) for one in each]))
    turns = cycle(queues)
    letters: list[str] = []
    rows = []
    for _ in range(count):
        topic, queue = next(next(turns))
        letters = letters or chance.sample(LETTERS, len(LETTERS))
        rows.append(_choice(topic, next(queue), letters.pop(), part, chance))
    chance.shuffle(rows)
    return rows


def _choice(topic: str, pair: tuple[str, str, str], letter: str, part: Part, chance: random.Random) -> Row:
    table = words()[topic]
    first, second = _TOPICS[topic]
    phrases = {first: pair[0], second: pair[1]}
    values = {"name": chance.choice(words()["names"]), "job": chance.choice(words()["jobs"]), **phrases}
    options = [one for one in table["options"] if one != pair[2]]
    chance.shuffle(options)
    options.insert(LETTERS.index(letter), pair[2])
    question = chance.choice(table["ask"][part]).format(**values)
    listed = "\n".join(f"{mark}. {text}" for mark, text in zip(LETTERS, options, strict=True))
    why = [table["says"][_kind(table[name], phrases[name])] for name in (first, second)]
    answer = f"{why[0]}; {why[1]}: {pair[2]}. Answer: {letter}"
    return _row(f"{question}\n{listed}", answer, letter, "choice", topic, "en", [f"{topic}:{one}" for one in pair[:2]])


def _kind(phrases: dict[str, list[str]], phrase: str) -> str:
    return next(kind for kind, ones in phrases.items() if phrase in ones)


def legal_sample_rows(part: Part, seed: int, count: int) -> list[Row]:
    """`count` Chinese rows: a worker's question with figures, and an answer in steps with the tool's sums."""
    chance = random.Random(f"{seed}/legal-zh/{part}")
    return [_advice(part, chance) for _ in range(count)]


def _advice(part: Part, chance: random.Random) -> Row:
    zh = words()["zh"]
    wage = Decimal(chance.randrange(4500, 20001, 100))
    base = Decimal(chance.randrange(2000, 4001, 10))
    kinds = [kind for kind in KINDS if chance.random() < 0.6]
    said = {kind: chance.randrange(4, 41) for kind in kinds}
    hours = "，".join(zh["hours"][kind].format(n=count) for kind, count in said.items()) or zh["hours"]["none"]
    total = {kind: Decimal(count if kind == "public_holiday" else count * 12) for kind, count in said.items()}
    evidence = "和".join(chance.sample(zh["evidence"], 2))
    question = chance.choice(zh["ask"][part]).format(evidence=evidence, wage=wage, base=base, hours=hours)
    pay = overtime_pay(wage, Hours(**total), paid_base=base)
    answer = _steps(pay, evidence)
    return _row(question, answer, str(pay.difference or ""), "open", "overtime", "zh", [])


def _steps(pay: Any, evidence: str) -> str:
    lines = [
        f"一、计算依据：加班费以合同约定的月工资{plain(pay.base.monthly)}元为基数，小时工资按174小时折算约{pay.base.hourly}元"
        "（《工资支付暂行规定》第十三条）。",
        f"二、证据：您已有{evidence}，请保留原始载体；考勤和工资记录由单位掌握的，可要求单位提供"
        "（《劳动争议调解仲裁法》第六条）。",
    ]
    sums = "；".join(f"{_NAMES[line.kind]}{line.formula}元" for line in pay.lines)
    if pay.difference is not None:
        lines.append(f"三、差额：{sums}。应付{pay.due}元，按单位基数已付{pay.paid}元，差额{pay.difference}元"
                     "（《劳动法》第四十四条）。")  # fmt: skip
    else:
        lines.append(
            "三、差额：您没有说明各类加班的时数，暂时不能计算，请按月列出工作日、休息日和法定休假日的加班时数。"
        )
    lines.append(
        "四、时效：在职期间追索加班费不受一年限制，离职的自离职之日起一年内申请仲裁（《劳动争议调解仲裁法》第二十七条）。"
    )
    lines.append("五、下一步：向劳动合同履行地或用人单位所在地的仲裁委员会提交申请书、证据清单和副本。")
    return "\n".join(lines)


def _row(prompt: str, answer: str, key: str, kind: str, subject: str, language: str, facts: list[str]) -> Row:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    meta = {"answer": key, "kind": kind, "subject": subject, "language": language, "facts": facts}
    return {"messages": messages, "meta": meta}
