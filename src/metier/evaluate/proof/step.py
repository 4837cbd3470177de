"""The step, read top to bottom: questions → answers of each variant → search → judge → `proof.json`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.core.errors import InterruptedRunError
from metier.core.events import EventLog
from metier.core.files import read_jsonl, write_json
from metier.evaluate.judge import Vote
from metier.evaluate.proof import judging
from metier.evaluate.proof.asking import ask_variant, kept_answers, rank_sources
from metier.evaluate.proof.plan import RANKINGS, Plan, plan_of, rubric_of
from metier.evaluate.proof.progress import Progress
from metier.evaluate.proof.questions import questions_file
from metier.evaluate.proof.rows import shown_rows, write_predictions
from metier.evaluate.proof.scores import (
    Answered,
    answered,
    compare_variants,
    describe,
    facts_of,
    score_retrieval,
    score_variant,
)
from metier.evaluate.proof.sources import LocalSources, Sources, judge_specialist
from metier.evaluate.proof.spec import ProofSpec
from metier.evaluate.proof.verdict import verdict
from metier.evaluate.rubric import identity

PROOF = "proof.json"
SCHEMA, SCHEMA_VERSION = "metier.proof", 1


def run_proof(spec: ProofSpec, folder: Path, events: EventLog, *, sources: Sources | None = None) -> dict[str, Any]:
    """Asks, searches, judges and counts; writes `proof.json` and each variant's answers into `folder`.

    The same folder goes on where an earlier start stopped: no answer and no vote is asked for twice. Returns outcome
    and what was compared. Raises ConfigError and DataError for what is wrong with specialist, questions or rubric.
    """
    plan = plan_of(spec, folder, sources or LocalSources())
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(events, total=plan.total, done=plan.done)
    try:
        found = asyncio.run(_prove(plan, progress))
    except KeyboardInterrupt as error:
        events.emit("end", outcome="interrupted", step=progress.done, total=progress.total)
        raise InterruptedRunError("evaluate.proof_interrupted", done=progress.done, total=progress.total) from error
    title = plan.specialist.title.model_dump()
    result = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "title": spec.title,
        "specialist": {"name": plan.specialist.name, "version": plan.version, "title": title},
        **found,
    }
    write_json(folder / PROOF, result)
    summary = _summary(result)
    events.emit("end", **summary)
    return summary


def proof_inputs(spec: ProofSpec, sources: Sources | None = None) -> dict[str, Any]:
    """What a proof depends on besides its spec: the specialist, the documents' bytes, the questions, the rubric."""
    where = sources or LocalSources()
    specialist, version = where.specialist(spec.specialist)
    judged_by = rubric_of(spec, specialist)
    return {
        "specialist": {"version": version, **specialist.model_dump(mode="json")},
        "knowledge": where.contents(specialist.knowledge),
        "questions": questions_file(spec.questions),
        "rubric": identity(*judged_by) if judged_by else None,
    }


async def _prove(plan: Plan, progress: Progress) -> dict[str, Any]:
    searching = plan.searching
    knowledge = plan.sources.knowledge(searching.specialist.knowledge) if searching else {}
    await _ask_all(plan, knowledge, progress)
    if searching is not None:
        await rank_sources(plan, searching, knowledge, progress)
    answers = {str(one.name): kept_answers(plan.folder, one.name) for one in plan.variants}
    judge, votes = await _judge(plan, answers, progress)

    prices = plan.spec.prompt_price, plan.spec.completion_price
    rows = {
        name: [answered(question, kept[question.id], prices) for question in plan.questions]
        for name, kept in answers.items()
    }
    for one in plan.variants:
        write_predictions(plan.folder, one.name, rows[one.name])
    return _result(plan, rows, judge, votes)


async def _ask_all(plan: Plan, knowledge: Mapping[str, Any], progress: Progress) -> None:
    """Every variant's answers. Variants of one model share its loading; a model with nothing to do is not loaded."""
    for key in dict.fromkeys(one.model for one in plan.variants):
        sharing = [one for one in plan.variants if one.model == key]
        waiting = [one for one in sharing if len(kept_answers(plan.folder, one.name)) < len(plan.questions)]
        if not waiting:
            continue
        model = plan.sources.model(waiting[0].specialist)
        try:
            for one in waiting:
                await ask_variant(plan, one, model, knowledge if one.has_knowledge else {}, progress)
        finally:
            await model.close()


async def _judge(
    plan: Plan, answers: Mapping[str, Mapping[str, Mapping[str, Any]]], progress: Progress
) -> tuple[dict[str, Any] | None, list[Vote]]:
    """The judge, its fitness, and its verdicts where it is fit; a rubric without test pairs leaves it untested."""
    if plan.rubric is None:
        return None, []
    model = plan.sources.model(judge_specialist(plan.spec))
    try:
        judge = judging.judge_of(plan, plan.rubric, model)
        fitness = await judging.examine(plan, judge, progress)
        said: dict[str, Any] = {
            "model": model.name,
            "rubric": plan.rubric.name,
            "rubric_version": plan.rubric.version,
            "dimensions": [{"key": one.key, "name": one.name.model_dump()} for one in plan.rubric.dimensions],
            "votes": plan.spec.judge_votes,
            "fitness": fitness.to_json() if fitness else None,
            "withheld": fitness is not None and not fitness.fit,
            "pairs": [],
        }
        if said["withheld"]:
            progress.leave_out(plan.judging_votes)
            return said, []
        votes = await judging.judge_answers(plan, judge, answers, progress)
        return {**said, "pairs": judging.results_of(plan, plan.rubric, votes)}, votes
    finally:
        await model.close()


def _result(
    plan: Plan, rows: Mapping[str, Sequence[Answered]], judge: dict[str, Any] | None, votes: Sequence[Vote]
) -> dict[str, Any]:
    """Everything that `proof.json` says."""
    spec, settings = plan.spec, plan.settings
    rankings = {row["id"]: row for row in read_jsonl(plan.folder / RANKINGS)}
    found = {
        "questions": plan.about(),
        "interval": {"confidence": spec.confidence, "samples": spec.bootstrap_samples, "seed": spec.seed},
        "currency": spec.currency,
        "metrics": describe(),
        "variants": [
            {
                "name": one.name,
                **one.describe(),
                "scores": score_variant(rows[one.name], settings),
                **facts_of(rows[one.name]),
            }
            for one in plan.variants
        ],
        "retrieval": score_retrieval(plan.questions, rankings, spec.depth, settings),
        "pairs": [
            {"left": left, "right": right, "metrics": compare_variants(rows[left], rows[right], settings)}
            for left, right in plan.pairs
        ],
        "judge": judge,
        "rows": shown_rows(plan, rows, votes),
    }
    return {**found, **verdict(found)}


def _summary(result: Mapping[str, Any]) -> dict[str, Any]:
    fitness = (result["judge"] or {}).get("fitness")
    return {
        "outcome": result["verdict"]["outcome"],
        "questions": result["questions"]["count"],
        "variants": ", ".join(one["name"] for one in result["variants"]),
        **({"judge_fit": fitness["fit"], "judge_right": fitness["right"]} if fitness else {}),
    }
