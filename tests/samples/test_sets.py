"""The shipped sample sets: made from the fact table, the same bytes each time, held-out rows that are really new."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import combinations

import pytest
import yaml
from rapidfuzz import fuzz
from tools.make_samples import packed, sample_sets
from tools.samples.facts import Table, held_out_pairs, read_table
from tools.samples.guard import guard_rows
from tools.samples.rehearsal import rehearsal_rows

from metier.data import Dataset, load_dataset
from metier.data.entries import SAMPLES

LEGAL = ["legal_demo_en", "legal_sample_zh"]
CHARTS = ["chart_demo_en", "chart_sample_en", "chart_sample_zh"]
MEDICAL = ["medical_demo_en", "medical_sample_en", "medical_sample_zh"]
SETS = [name for train in MEDICAL for name in (train, f"{train}_test")]
both = pytest.mark.parametrize("name", MEDICAL)


@cache
def shipped(name: str) -> Dataset:
    return load_dataset(name)


@cache
def table() -> Table:
    return read_table()


def pairs_of(dataset: Dataset) -> set[frozenset[str]]:
    return {frozenset(row.meta["facts"]) for row in dataset.conversations if len(row.meta["facts"]) == 2}


def skeletons(dataset: Dataset, language: str) -> set[str]:
    """First lines with findings, people and numbers taken out: the bare sentence patterns."""
    words = [finding.text[language] for finding in table().findings.values()]
    words += ["woman", "man", "she", "he", "女性", "男性", "她", "他"]
    known = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    pairs = [row for row in dataset.conversations if len(row.meta["facts"]) == 2]
    return {re.sub(r"\d+", "#", known.sub("_", row.prompt[-1].text.splitlines()[0])) for row in pairs}


def test_making_the_sets_again_gives_the_shipped_bytes() -> None:
    for name, rows in sample_sets().items():
        assert packed(rows) == (SAMPLES / f"{name}.jsonl.gz").read_bytes(), name


def test_another_seed_gives_other_rows() -> None:
    first, second = sample_sets(3), sample_sets(4)
    assert packed(first["medical_demo_en"]) != packed(second["medical_demo_en"])


def test_sets_have_the_promised_sizes() -> None:
    sizes = {name: len(shipped(name)) for name in SETS}
    assert sizes["medical_demo_en"] == 448 + len(rehearsal_rows())
    assert sizes["medical_demo_en_test"] == 100
    assert min(sizes["medical_sample_en"], sizes["medical_sample_zh"]) >= 2000
    assert min(sizes["medical_sample_en_test"], sizes["medical_sample_zh_test"]) >= 300


def test_index_names_each_file_in_both_languages() -> None:
    index = yaml.safe_load((SAMPLES / "index.yaml").read_text(encoding="utf-8"))
    legal = {name for train in LEGAL for name in (train, f"{train}_test")}
    charts = {name for train in CHARTS for name in (train, f"{train}_test")}
    assert set(index) == {*SETS, *legal, *charts, "general_guard"}
    for entry in index.values():
        assert (SAMPLES / entry["file"]).is_file()
        assert all(entry[field][language] for field in ("title", "description") for language in ("en", "zh"))


@both
def test_held_out_facts_never_stand_together_in_training(name: str) -> None:
    assert not pairs_of(shipped(name)) & pairs_of(shipped(f"{name}_test"))


@both
def test_each_held_out_fact_is_seen_in_training_for_the_same_condition(name: str) -> None:
    among = set((table().demo() if "demo" in name else table()).conditions)

    def seen(dataset: Dataset) -> set[tuple[str, str]]:
        choices = [row for row in dataset.conversations if len(row.meta["facts"]) == 2]
        return {(fact, condition_of(row.meta["facts"], among)) for row in choices for fact in row.meta["facts"]}

    assert seen(shipped(f"{name}_test")) <= seen(shipped(name))


def condition_of(facts: list[str], among: set[str] | None = None) -> str:
    """The only condition that fits all facts."""
    fits = set.intersection(*(set(table().findings[fact].fits) for fact in facts))
    fits &= among or set(table().conditions)
    assert len(fits) == 1, facts
    return fits.pop()


@both
def test_held_out_rows_have_sentence_patterns_of_their_own(name: str) -> None:
    language = name[-2:]
    assert not skeletons(shipped(name), language) & skeletons(shipped(f"{name}_test"), language)


@both
def test_one_fact_alone_leaves_two_options_open_and_both_leave_one(name: str) -> None:
    language = name[-2:]
    by_text = {
        getattr(condition, field)[language]: key
        for key, condition in table().conditions.items()
        for field in ("name", "test", "treatment")
    }
    for row in shipped(f"{name}_test").conversations + shipped(name).conversations[:300]:
        if row.meta["kind"] != "choice":
            continue
        options = dict(re.findall(r"^([A-E])\. (.+)$", row.prompt[-1].text, re.MULTILINE))
        offered = {by_text[text] for text in options.values()}
        assert len(offered) == 5
        assert by_text[options[row.meta["answer"]]] == condition_of(row.meta["facts"], offered)
        assert all(len(offered & set(table().findings[fact].fits)) >= 2 for fact in row.meta["facts"])


@pytest.mark.parametrize("name", SETS)
def test_answer_letters_are_balanced_and_end_the_answer(name: str) -> None:
    rows = [row for row in shipped(name).conversations if row.meta["kind"] == "choice"]
    counts = Counter(row.meta["answer"] for row in rows)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert all(re.search(r"(Answer: |答案：)([A-E])$", row.label)[2] == row.meta["answer"] for row in rows)


def test_demo_answers_say_what_each_finding_fits_by_name_and_letter() -> None:
    demo = table().demo()
    findings = {finding.text["en"]: finding for finding in demo.findings.values()}
    for row in shipped("medical_demo_en").conversations:
        if row.meta["subject"] == "general":
            continue
        options = {line[3:]: line[0] for line in row.prompt[-1].text.splitlines()[1:]}
        told = re.fullmatch(r"(.+): (.+); (.+): (.+)\. Answer: ([A-E])", row.label)
        assert told is not None
        letters = []
        for text, fits in ((told[1], told[2]), (told[3], told[4])):
            names = [demo.conditions[key].name["en"] for key in findings[text].fits]
            assert fits == " or ".join(f"{name} {options[name]}" for name in names)
            letters.append({options[name] for name in names})
        assert letters[0] & letters[1] == {told[5]}


def test_demo_rows_are_short() -> None:
    lengths = [sum(len(turn.text) for turn in row.messages) for row in shipped("medical_demo_en").conversations]
    assert sum(lengths) / len(lengths) < 270


def test_held_out_pairs_leave_every_finding_in_training() -> None:
    held = held_out_pairs(table(), 3)
    for view in (table(), table().demo()):
        kept = [pair for pair in view.pairs if (pair.first, pair.second) not in held]
        assert {(p.condition, f) for p in view.pairs for f in (p.first, p.second)} == {
            (p.condition, f) for p in kept for f in (p.first, p.second)
        }


def test_no_two_findings_of_one_condition_are_told_together_in_single_fact_rows() -> None:
    rows = [row for row in shipped("medical_sample_en").conversations if len(row.meta["facts"]) < 2]
    texts = {key: finding.text["en"].lower() for key, finding in table().findings.items()}
    for row in rows:
        told = {key for key, text in texts.items() if text in (row.prompt[-1].text + row.label).lower()}
        for first, second in combinations(told, 2):
            assert texts[first] in texts[second] or texts[second] in texts[first], row


def test_guard_is_general_unique_and_checkable() -> None:
    rows = shipped("general_guard").conversations
    assert 50 <= len(rows) <= 80
    assert len({row.prompt[-1].text for row in rows}) == len(rows)
    assert {row.meta["language"] for row in rows} == {"en", "zh"}
    for row in rows:
        assert row.meta["kind"] in ("choice", "contains")
        assert str(row.meta["answer"]).lower() in row.label.lower()


def test_nothing_that_the_guard_asks_is_rehearsed() -> None:
    asked = {row["messages"][0]["content"]: row["meta"]["answer"] for row in guard_rows()}
    for row in rehearsal_rows():
        question, reply = (turn["content"] for turn in row["messages"])
        assert question not in asked
        near = [text for text in asked if fuzz.ratio(text, question) >= 90]
        assert all(asked[text].lower() not in reply.lower() for text in near), question


def test_legal_rows_ask_for_pairs_of_facts_that_training_never_shows_together() -> None:
    train, test = shipped("legal_demo_en"), shipped("legal_demo_en_test")
    assert not pairs_of(train) & pairs_of(test)
    assert {fact for row in test.conversations for fact in row.meta["facts"]} <= {
        fact for row in train.conversations for fact in row.meta["facts"]
    }
    for row in test.conversations:
        options = dict(re.findall(r"^([A-E])\. (.+)$", row.prompt[-1].text, re.MULTILINE))
        assert len(options) == 5 and row.label.endswith(f"{options[row.meta['answer']]}. Answer: {row.meta['answer']}")


def test_chinese_legal_answers_have_a_sum_only_where_hours_were_said() -> None:
    for row in shipped("legal_sample_zh").conversations:
        assert ("每月加班" in row.prompt[-1].text or "一共加班" in row.prompt[-1].text) == bool(row.meta["answer"])
        assert str(row.meta["answer"]) in row.label
