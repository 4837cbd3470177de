"""A proof, on a real knowledge base and models whose words are scripted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.core.files import read_json, read_jsonl
from metier.engines.chatmodel import ChatModel, Request
from metier.evaluate.proof import ProofSpec, proof_inputs, run_proof
from metier.evaluate.proof.questions import read_questions
from metier.evaluate.proof.sources import LocalSources
from metier.evaluate.rubric import load_rubric
from metier.specialists.spec import Specialist
from tests.evaluate import scripted
from tests.support.knowledge import RULES_OF_WORK, MemoryBase

RUBRIC, CASES = load_rubric("legal")
SPOILT = {case.parts[key].bad for case in CASES for key in RUBRIC.keys}
QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "rest",
        "question": "休息日工作又不能补休，加班工资怎么算？",
        "gold": ["示例劳动规则 第四条"],
        "reference": "二倍。",
    },
    {
        "id": "time",
        "question": "劳动争议申请仲裁的时效期间是多久？",
        "gold": ["示例劳动规则 第九条"],
        "reference": "一年。",
    },
    {"id": "ship", "question": "远洋船舶的压载水排放标准是什么？", "answerable": False},
]


class Sources(LocalSources):
    """Models whose words are scripted; counts how often one was opened."""

    def __init__(self, folder: Path, judge: scripted.Say | None = None, say: scripted.Say | None = None) -> None:
        super().__init__(folder)
        self.judge = judge
        self.say = say or (lambda first, second, request: "按规定支付。")
        self.opened: list[tuple[str, str | None]] = []
        self.digests = ["a"]

    def knowledge(self, names: Sequence[str]) -> dict[str, MemoryBase]:
        return dict.fromkeys(names, RULES_OF_WORK)

    def contents(self, names: Sequence[str]) -> dict[str, Any]:
        return dict.fromkeys(names, self.digests)

    def model(self, specialist: Specialist) -> ChatModel:
        self.opened.append((specialist.name, specialist.adapter_name_or_path))
        return scripted.Scripted(self.judge if specialist.name == "judge" and self.judge else self.say)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a specialist and questions."""
    (tmp_path / "one.yaml").write_text("name: one\nknowledge: [law]\nadapter_name_or_path: taught\n", encoding="utf-8")
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in QUESTIONS)
    (tmp_path / "questions.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def spec_of(folder: Path, **changes: Any) -> ProofSpec:
    values = {"specialist": str(folder / "one.yaml"), "questions": folder / "questions.jsonl", "judge_votes": 1}
    return ProofSpec(**{**values, **changes})


def prove(folder: Path, sources: Sources, **changes: Any) -> dict[str, Any]:
    run_proof(spec_of(folder, **changes), folder / "run", EventLog(None), sources=sources)
    return read_json(folder / "run" / "proof.json")  # type: ignore[no-any-return]


def of(found: dict[str, Any], variant: str) -> dict[str, Any]:
    return next(one for one in found["variants"] if one["name"] == variant)


def test_four_variants_answer_the_same_questions_and_are_measured(folder: Path) -> None:
    sources = Sources(folder)
    found = prove(folder, sources)
    assert [one["name"] for one in found["variants"]] == ["base", "tuned", "base_knowledge", "tuned_knowledge"]
    assert sources.opened == [("one", None), ("one", "taught")]
    assert found["retrieval"]["scores"]["recall_at_10"]["score"] == 1.0
    assert found["retrieval"]["scores"]["mrr_at_10"]["score"] == 1.0
    bare, informed = of(found, "base")["scores"], of(found, "base_knowledge")["scores"]
    assert bare["citation_recall"]["score"] == 0.0
    assert "quotes_stand" not in bare
    assert informed["citation_recall"]["score"] == 1.0
    quotes = informed["quotes_stand"]
    assert (quotes["score"], quotes["high"], quotes["method"], quotes["n"]) == (1.0, 1.0, "wilson", 2)
    assert 0.3 < quotes["low"] < 0.4  # two of two say little
    assert (bare["right_refusals"]["score"], informed["right_refusals"]["score"]) == (0.0, 1.0)
    assert informed["wrong_refusals"]["score"] == 0.0
    pair = next(one for one in found["pairs"] if (one["left"], one["right"]) == ("base", "base_knowledge"))
    assert pair["metrics"]["citation_recall"]["wins"] == 2
    # Too few rows for any interval to decide: the whole scale.
    assert pair["metrics"]["citation_recall"]["low"] == -1.0
    assert found["verdict"]["outcome"] == "undecided"
    for entry in (entry for one in found["variants"] for entry in one["scores"].values()):
        assert entry["low"] <= entry["score"] <= entry["high"]


def test_answers_of_a_bare_model_speak_of_no_documents(folder: Path) -> None:
    prove(folder, Sources(folder), variants=("base", "base_knowledge"))
    answers = [row["answer"] for row in read_jsonl(folder / "run" / "answers-base.jsonl")]
    assert {(one["text"], one["mode"]) for one in answers} == {("按规定支付。", "written")}


def test_a_stopped_proof_goes_on_and_asks_nothing_twice(folder: Path) -> None:
    asked: list[Request] = []

    def say(first: str, second: str, request: Request) -> str:
        asked.append(request)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return "按规定支付。"

    from metier.core.errors import InterruptedRunError

    with pytest.raises(InterruptedRunError):
        prove(folder, Sources(folder, say=say), variants=("base", "tuned"))
    kept = len(read_jsonl(folder / "run" / "answers-base.jsonl"))
    assert kept == 2
    found = prove(folder, Sources(folder, say=say), variants=("base", "tuned"))
    assert found["questions"]["count"] == 3
    assert len(asked) == 3 + 1 + 3


def judge_for(text: str) -> scripted.Say:
    """Knows the planted defects, and prefers answers with certain words."""

    def say(first: str, second: str, request: Request) -> str:
        bad = [any(piece in one for piece in SPOILT) for one in (first, second)]
        good = [text in one for one in (first, second)]
        if bad[0] != bad[1]:
            return scripted.as_json(RUBRIC, "B" if bad[0] else "A")
        return scripted.as_json(RUBRIC, "tie" if good[0] == good[1] else "A" if good[0] else "B")

    return say


def test_a_fit_judge_decides(folder: Path) -> None:
    sources = Sources(folder, judge=judge_for("示例劳动规则"))
    found = prove(folder, sources, rubric="legal", judge_model_name_or_path="x", variants=("base", "base_knowledge"))
    judge = found["judge"]
    assert (judge["fitness"]["right"], judge["withheld"]) == (70, False)
    (pair,) = judge["pairs"]
    assert (pair["wins"], pair["losses"], pair["n"]) == (2, 0, 3)
    assert pair["dimensions"]["basis"]["wins"] == 2
    assert set(pair["dimensions"]) == set(RUBRIC.keys)
    rows = {row["id"]: row["judged"][0]["winner"] for row in found["rows"]}
    assert rows["rest"] == "base_knowledge"


def test_an_unfit_judge_is_named_and_its_verdict_withheld(folder: Path) -> None:
    sources = Sources(folder, judge=scripted.first_place(RUBRIC))
    found = prove(folder, sources, rubric="legal", judge_model_name_or_path="x", variants=("base", "base_knowledge"))
    assert found["judge"]["withheld"]
    assert found["judge"]["pairs"] == []
    assert found["verdict"]["outcome"] == "undecided"
    # Eight wrong pairs put 63 of 70 out of reach: the others are not asked.
    assert "0 of 8 test pairs" in found["verdict"]["sentences"][1]["en"]
    assert len(read_jsonl(folder / "run" / "fitness.jsonl")) <= 16
    assert not (folder / "run" / "votes.jsonl").exists()


def test_a_judge_whose_first_replies_cannot_be_read_is_asked_no_more(folder: Path) -> None:
    sources = Sources(folder, judge=scripted.garbage)
    found = prove(
        folder, sources, rubric="legal", judge_model_name_or_path="x", judge_votes=3,
        variants=("base", "base_knowledge"),
    )  # fmt: skip
    fitness = found["judge"]["fitness"]
    assert (found["judge"]["withheld"], fitness["votes"], fitness["unreadable"], fitness["right"]) == (True, 4, 4, 0)


def test_votes_that_cannot_be_read_are_counted_and_told(folder: Path) -> None:
    fit = judge_for("–")

    def say(first: str, second: str, request: Request) -> str:
        known = any(piece in first + second for piece in SPOILT)
        return fit(first, second, request) if known else scripted.garbage(first, second, request)

    found = prove(
        folder, Sources(folder, judge=say), rubric="legal", judge_model_name_or_path="x",
        variants=("base", "base_knowledge"),
    )  # fmt: skip
    (pair,) = found["judge"]["pairs"]
    assert (pair["unreadable"], pair["unreadable_votes"], pair["n"]) == (3, 6, 3)
    assert pair["preference"]["score"] == 0.5
    assert any("6 of 6" in caution["en"] for caution in found["cautions"])


def test_what_is_done_next_is_said_before_it_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_LANGUAGE", "en")
    told: list[str] = []
    events = EventLog(None, listeners=(lambda event: told.append(str(event.get("message", event["event"]))),))

    def say(first: str, second: str, request: Request) -> str:
        told.append("asked")
        return "按规定支付。"

    sources = Sources(folder, judge=judge_for("示例劳动规则"), say=say)
    spec = spec_of(folder, rubric="legal", judge_model_name_or_path="x", variants=("base", "base_knowledge"))
    run_proof(spec, folder / "run", events, sources=sources)
    assert told[:3] == ["start", "base model: 3 questions, answers of up to 512 tokens", "asked"]
    assert [one for one in told if one.startswith("Judge")] == [
        "Judge scripted: tested on 70 pairs with planted defects",
        "Judge scripted: 3 pairs of answers",
    ]


def test_other_documents_are_another_proof(folder: Path) -> None:
    sources = Sources(folder)
    before = proof_inputs(spec_of(folder), sources)
    assert proof_inputs(spec_of(folder), sources) == before
    sources.digests = ["a", "b"]
    assert proof_inputs(spec_of(folder), sources) != before


def test_variants_that_cannot_be_are_refused(folder: Path) -> None:
    (folder / "one.yaml").write_text("name: one\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="one"):
        prove(folder, Sources(folder))
    with pytest.raises(ConfigError, match="adapter"):
        prove(folder, Sources(folder), variants=("tuned",))
    with pytest.raises(ConfigError, match="knowledge"):
        prove(folder, Sources(folder), variants=("base_knowledge",))


def test_a_judge_without_a_rubric_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--rubric"):
        prove(folder, Sources(folder), judge_model_name_or_path="x")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"question": ""}', "question"),
        ('{"questoin": "x"}', "question"),
        ('{"question": "x", "gold": [1]}', "gold"),
        ('{"question": "x", "gold": ["a"], "answerable": false}', "gold"),
        ('{"question": "x", "history": [{"role": "robot", "content": "y"}]}', "question"),
        ("{", "line 1"),
        ("[]", "line 1"),
        ('{"id": 1, "question": "x"}\n{"id": 1, "question": "y"}', "line 2"),
        ("", "no questions"),
    ],
)
def test_wrong_questions_are_named_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, word: str
) -> None:
    monkeypatch.setenv("METIER_LANGUAGE", "en")
    file = tmp_path / "q.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(DataError, match=word):
        read_questions(file)


def test_a_question_may_have_a_conversation_before_it(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    history = [{"role": "user", "content": "我月薪八千"}, {"role": "assistant", "content": "好"}]
    file.write_text(json.dumps({"question": "那时效呢？", "history": history}), encoding="utf-8")
    (question,) = read_questions(file)
    assert (question.text, question.said) == ("那时效呢？", ["我月薪八千", "那时效呢？"])


def test_the_page_holds_both_languages_and_hostile_words_are_words(folder: Path) -> None:
    from metier.report.proof import proof_page

    hostile = "<script>alert(1)</script>\u202e"
    sources = Sources(folder, judge=judge_for("示例劳动规则"), say=lambda first, second, request: hostile)
    found = prove(folder, sources, rubric="legal", judge_model_name_or_path="x", title="<b>T</b>")
    page = proof_page(found)
    assert "<script" not in page
    assert "&lt;b&gt;T" in page
    assert "\u202e" not in page
    assert "引用召回率" in page
    assert "Citation recall" in page
    assert page.count('class="plot interval-bars"') > 8
