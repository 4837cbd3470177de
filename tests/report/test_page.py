from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from metier.core.i18n import catalogue
from metier.report import ReportSpec
from metier.report.texts import metric_name
from tests.report.conftest import Made, Report

VOID = {"meta", "link", "input", "br", "img"}


class Elements(HTMLParser):
    """All elements with their attributes, and whether each is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def change(run: Path, name: str, **values: Any) -> None:
    path = run / "steps" / name
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_every_element_is_closed_in_order(whole: Made) -> None:
    assert Elements(whole.html).open == []


def test_no_script_and_nothing_from_elsewhere(whole: Made) -> None:
    elements = Elements(whole.html)
    assert elements.of("script") == []
    assert not re.search(r"https?://|@import|url\(", whole.html)
    links = [
        value or "" for _, attributes in elements.found for key, value in attributes.items() if key in ("href", "src")
    ]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_the_policy_allows_nothing_but_inline_style(whole: Made) -> None:
    policies = [one["content"] or "" for one in Elements(whole.html).of("meta") if "http-equiv" in one]
    assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script-src" not in policies[0]


def test_no_element_carries_an_event_handler(whole: Made) -> None:
    assert not [key for _, attributes in Elements(whole.html).found for key in attributes if key.startswith("on")]


def test_each_text_is_there_in_both_languages(whole: Made) -> None:
    classes = [(attributes.get("class") or "").split()[:1] for _, attributes in Elements(whole.html).found]
    assert classes.count(["en"]) == classes.count(["zh"]) > 200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_spec_chooses_the_language_shown_first(report: Report, made_run: Path, language: str) -> None:
    elements = Elements(report(run=made_run, language=language).html)
    checked = [one["id"] for one in elements.of("input") if "checked" in one]
    assert checked == [f"language-{language}"]
    assert (elements.of("html")[0]["lang"] or "").startswith(language)


def test_links_inside_the_page_lead_somewhere_and_ids_are_unique(whole: Made) -> None:
    elements = Elements(whole.html)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [(one.get("href") or "#")[1:] for one in elements.of("a")]
    named += [one["aria-labelledby"] for one in elements.of("svg") if "aria-labelledby" in one]
    assert set(named) <= set(ids)


def test_the_verdict_comes_first_with_its_badge_and_headline(whole: Made) -> None:
    assert "choice accuracy rose from 19.0 % to 86.0 %" in whole.html
    assert 'class="badge better"' in whole.html
    assert whole.html.index(">19.0<small>%") < whole.html.index(">86.0<small>%") < whole.html.index(">+67.0 <small>")
    assert "The whole interval lies above zero" in whole.html


def test_a_proof_of_the_same_run_is_named(report: Report, made_run: Path, whole: Made) -> None:
    assert "proof.html" not in whole.html
    page = report(run=made_run, proven_specialist="<legal>").html
    assert "Proven in the same run, in proof.html" in page
    assert "<dd>&lt;legal&gt;</dd>" in page


@pytest.mark.parametrize("outcome", ["better", "no_improvement", "worse", "mixed"])
def test_each_outcome_has_its_badge(report: Report, run: Path, outcome: str) -> None:
    change(run, "compare/compare.json", verdict={"outcome": outcome, "sentences": []})
    assert f'class="badge {outcome}"' in report(run=run).html


def test_a_gain_that_chance_could_give_is_called_so(report: Report, run: Path) -> None:
    same = {"score": 0.2, "low": 0.1, "high": 0.3}
    metric = {"base": same, "tuned": same, "difference": 0.0, "low": -0.1, "high": 0.1, "n": 50}
    change(run, "compare/compare.json", metrics={"choice_accuracy": metric})
    assert "cannot tell a gain from chance" in report(run=run).html


def test_a_gain_without_an_interval_is_not_called_chance_or_gain(report: Report, run: Path) -> None:
    metric = {"base": {"score": 0.2}, "tuned": {"score": 0.4}, "difference": 0.2}
    change(run, "compare/compare.json", metrics={"choice_accuracy": metric})
    html = report(run=run).html
    assert "The gain has no interval" in html
    assert "cannot tell a gain from chance" not in html


@pytest.mark.parametrize(
    "words",
    [
        "Not measured: no general set",
        "No training is recorded here",
        "No scores: neither",
        "Lengths were not counted",
        "No preview was kept",
        "No rows side by side",
        "there is no manifest.json",
        "The command was not recorded",
        "未测量：没有在训练前后回答通用集",
    ],
)
def test_a_report_of_nothing_says_what_is_missing(report: Report, words: str) -> None:
    made = report()
    assert words in made.html
    assert made.summary["outcome"] == "not_compared"


def test_a_single_model_is_shown_without_a_gain(report: Report, made_run: Path) -> None:
    made = report(metrics_tuned=made_run / "steps/evaluate-tuned/metrics.json")
    assert "Only the tuned model was scored" in made.html
    assert 'class="zero"' not in made.html
    assert made.data["metrics"][0]["tuned"]["score"] == 0.86
    assert "Scored for one model only" in made.html


def test_two_scored_models_without_comparison_get_bars_but_no_verdict(report: Report, run: Path) -> None:
    (run / "steps/compare/compare.json").unlink()
    made = report(run=run)
    assert made.summary["outcome"] == "not_compared"
    assert "not compared row by row" in made.html
    assert made.html.count('class="bar tuned"') == 8


def test_warnings_of_scores_that_were_not_compared_name_their_model(report: Report, run: Path) -> None:
    (run / "steps/compare/compare.json").unlink()
    blind, few = {"en": "ROUGE is blind here.", "zh": "ROUGE 看不到中文。"}, {"en": "Few rows.", "zh": "行数太少。"}
    change(run, "evaluate-base/metrics.json", warnings=[blind, few])
    change(run, "evaluate-tuned/metrics.json", warnings=[blind])
    cautions = [one["en"] for one in report(run=run).data["verdict"]["cautions"]]
    assert cautions == ["ROUGE is blind here.", "Base model: Few rows."]


def test_definitions_are_one_click_away(whole: Made) -> None:
    assert whole.html.count("How it is computed") == 10
    assert "method3" in whole.html


def test_all_checks_are_stamped(whole: Made) -> None:
    states = {check["name"]: (check["state"], check["count"]) for check in whole.data["checks"]}
    assert states["leaks"] == ("ok", 0)
    assert states["truncated_rows"] == ("note", 2)
    assert states["near_duplicates"] == ("note", 26)
    assert states["unreadable_base"] == ("note", 31)
    assert "rows 17, 233" in whole.html
    assert "and 18 more" in whole.html


def test_a_leak_is_a_problem_with_its_row_numbers(report: Report, run: Path) -> None:
    change(run, "prepare/prepare.json", leaks=[{"train_row": 7, "test_row": 3, "kind": "near", "score": 0.97}])
    made = report(run=run)
    assert 'class="state-problem"' in made.html
    assert "7 ↔ 3 (0.97)" in made.html


def test_what_was_not_checked_is_not_called_fine(report: Report) -> None:
    made = report()
    assert {check["state"] for check in made.data["checks"]} == {"unknown"}
    assert made.html.count("not checked") >= 10


def test_a_cut_far_beyond_all_rows_is_told_in_words(report: Report, run: Path) -> None:
    change(run, "prepare/prepare.json", cutoff_len=2048)
    html = report(run=run).html
    assert "The cut at 2,048 tokens lies far to the right" in html
    assert 'class="mark"' not in html


def test_a_refused_set_is_named_at_the_top(report: Report, run: Path) -> None:
    change(run, "prepare/prepare.json", refused="the test set equals the training set")
    html = report(run=run).html
    assert html.index("the test set equals the training set") < html.index('id="scores"')


def test_counts_of_answers_that_were_cut_are_stamped_where_they_occur(whole: Made) -> None:
    names = [check["name"] for check in whole.data["checks"]]
    assert "cut_base" in names
    assert "thinking_unfinished_base" not in names


def test_what_guessing_would_reach_stands_beside_the_score(whole: Made) -> None:
    assert "Blind guessing would reach 20.0\u202f%" in whole.html


def test_a_score_that_is_no_share_keeps_its_scale(report: Report, made_run: Path) -> None:
    html = report(run=made_run, headline_metric="bleu4").html
    assert html.index('<span class="number">4.12</span>') < html.index('<span class="number">38.67</span>')


def test_the_tokens_that_carry_loss_are_marked(whole: Made) -> None:
    assert "<mark>Step by step: the breath whistles" in whole.html
    assert "Cut after token 192" in whole.html
    assert "<del>\n\nThank you for asking.</del>" in whole.html


def test_thinking_is_folded(whole: Made) -> None:
    assert '<details class="thinking">' in whole.html
    assert "&lt;think&gt;" not in whole.html


def test_provenance_names_hashes_versions_seed_and_command(whole: Made) -> None:
    for words in ("b179c9523d0e6a0f", "2a7c2a7c", "5.24.0", ">42<", "metier run medical --profile demo", "24.0 GiB"):
        assert words in whole.html
    assert [one["step"] for one in whole.data["durations"]][:2] == ["prepare", "predict-base"]


def test_locale_has_both_languages_with_the_same_fields() -> None:
    for key, texts in catalogue("report").items():
        assert texts["en"] and texts["zh"], key
        assert sorted(re.findall(r"{\w+}", texts["en"])) == sorted(re.findall(r"{\w+}", texts["zh"])), key


@pytest.mark.parametrize("name", list(ReportSpec.model_fields))
def test_each_parameter_has_a_label_and_help(name: str) -> None:
    assert {f"ReportSpec.{name}.label", f"ReportSpec.{name}.help"} <= set(catalogue("report"))


def test_metrics_of_the_registry_have_spoken_names() -> None:
    from metier.evaluate.metrics import METRICS

    assert [name for name in METRICS if metric_name(name)["en"] == name] == []
