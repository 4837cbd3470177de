"""What a proof comes to, in words that say no more than was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.core.i18n import LANGUAGES, translate
from metier.evaluate.bootstrap import TOO_FEW
from metier.evaluate.scoring import Text

Found = Mapping[str, Any]


def verdict(found: Found) -> dict[str, Any]:
    """`verdict`: outcome (`better`, `no_improvement`, `worse`, `undecided`) of the last variant against the first, and
    sentences; `cautions`: what a reader must keep in mind. In both languages."""
    left, right = found["variants"][0], found["variants"][-1]
    outcome, sentences = _decided(found, left["name"], right["name"])
    sentences += [*_refusals(found, left, right), *_citations(right), *_search(found)]
    return {
        "verdict": {"outcome": outcome, "left": left["name"], "right": right["name"], "sentences": sentences},
        "cautions": _cautions(found),
    }


def _decided(found: Found, left: str, right: str) -> tuple[str, list[Text]]:
    """By a fit judge, else by references, else not at all."""
    judge = found["judge"]
    if judge and not judge["withheld"]:
        return _judged(judge, left, right)
    outcome, sentence = _by_reference(found, left, right)
    if not judge:
        return outcome, [sentence]
    fitness = judge["fitness"]
    figures = {key: fitness[key] for key in ("right", "judged", "pairs", "bar")}
    unfit = _say("unfit", judge=judge["model"], **figures)
    return outcome, [sentence, unfit]


def _judged(judge: Found, left: str, right: str) -> tuple[str, list[Text]]:
    entry = next(one for one in judge["pairs"] if (one["left"], one["right"]) == (left, right))
    preference = entry["preference"]
    outcome = _outcome(preference["low"] - 0.5, preference["high"] - 0.5)
    counts = {key: entry[key] for key in ("wins", "losses", "ties", "unreadable", "n")}
    names = {"left": _variant(left), "right": _variant(right)}
    sentence = _say(f"judged_{outcome}", judge=judge["model"], **names, **counts, share=_interval(preference))
    return outcome, [sentence]


def _by_reference(found: Found, left: str, right: str) -> tuple[str, Text]:
    pair = next(one for one in found["pairs"] if (one["left"], one["right"]) == (left, right))
    entry = pair["metrics"].get("reference_chrf")
    if not entry or entry["n"] < TOO_FEW:
        return "undecided", _say("undecided")
    outcome = _outcome(entry["low"], entry["high"])
    figures = {key: f"{entry[key]:+.1f}" for key in ("difference", "low", "high")}
    names = {"left": _variant(left), "right": _variant(right)}
    return outcome, _say(f"likeness_{outcome}", **names, n=entry["n"], **figures)


def _outcome(low: float, high: float) -> str:
    return "better" if low > 0 else "worse" if high < 0 else "no_improvement"


def _refusals(found: Found, left: Found, right: Found) -> list[Text]:
    sentences = []
    for name in ("right_refusals", "wrong_refusals"):
        before, after = left["scores"].get(name), right["scores"].get(name)
        if before and after:
            sentences.append(
                _say(
                    name,
                    n=after["n"],
                    left=_variant(left["name"]),
                    right=_variant(right["name"]),
                    before=_interval(before),
                    after=_interval(after),
                )
            )
    return sentences


def _citations(right: Found) -> list[Text]:
    quotes, support = right["scores"].get("quotes_stand"), right["scores"].get("support_rate")
    sentences = (
        [_say("quotes", variant=_variant(right["name"]), share=f"{100 * quotes['score']:.1f}")] if quotes else []
    )
    if support:
        sentences.append(_say("support", variant=_variant(right["name"]), share=_interval(support)))
    return sentences


def _search(found: Found) -> list[Text]:
    scores = (found["retrieval"] or {}).get("scores", {})
    if "recall_at_10" not in scores:
        return []
    return [_say("search", n=scores["recall_at_10"]["n"], share=_interval(scores["recall_at_10"]))]


def _cautions(found: Found) -> list[Text]:
    questions, judge = found["questions"], found["judge"]
    cautions = []
    if questions["count"] < 30:
        cautions.append(_say("few", n=questions["count"]))
    if not judge:
        cautions.append(_say("no_judge"))
    elif judge["fitness"] is None:
        cautions.append(_say("untested", rubric=judge["rubric"]))
    for one in (judge or {}).get("pairs", ()):
        if one["unreadable_votes"]:
            cautions.append(
                _say("unreadable", count=one["unreadable_votes"], votes=one["votes"],
                     left=_variant(one["left"]), right=_variant(one["right"]))
            )  # fmt: skip
    if not questions["without_answer"]:
        cautions.append(_say("all_answerable"))
    if not questions["with_gold"]:
        cautions.append(_say("no_gold"))
    for one in found["variants"]:
        if one["knowledge"] and one["modes"]["quoted"]:
            cautions.append(
                _say("quoted", variant=_variant(one["name"]), count=one["modes"]["quoted"], n=one["answers"])
            )
        if one["cut"]:
            cautions.append(_say("cut", variant=_variant(one["name"]), count=one["cut"], n=one["answers"]))
    cautions.append(_say("read_refusals"))
    return cautions


def _variant(name: str) -> Text:
    return {language: translate(f"evaluate.variant.{name}", language=language) for language in LANGUAGES}


def _interval(entry: Found) -> str:
    return f"{100 * entry['score']:.1f} % [{100 * entry['low']:.1f}, {100 * entry['high']:.1f}]"


def _say(key: str, **fields: Any) -> Text:
    return {
        language: translate(
            f"evaluate.proof_says.{key}",
            language=language,
            **{name: value[language] if isinstance(value, dict) else value for name, value in fields.items()},
        )
        for language in LANGUAGES
    }
