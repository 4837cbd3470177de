"""The judge's part of a proof: tested first, and only a fit one is asked about the variants' answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from metier.core.files import append_jsonl, read_jsonl
from metier.core.i18n import translate
from metier.engines.chatmodel import ChatModel
from metier.evaluate.bootstrap import Settings
from metier.evaluate.fitness import Fitness, contests, first_place, fitness_of, is_lost
from metier.evaluate.judge import Contest, Judge, Vote, verdict_of
from metier.evaluate.proof.plan import FITNESS, VOTES, Plan
from metier.evaluate.proof.progress import Progress
from metier.evaluate.proof.questions import Question
from metier.evaluate.proof.scores import Score, interval_of
from metier.evaluate.rubric import Rubric

_PREFERENCE = Score("preference", lambda one: None)


def judge_of(plan: Plan, rubric: Rubric, model: ChatModel) -> Judge:
    """The judge that a plan asks for."""
    spec = plan.spec
    return Judge(model, rubric, plan.language, votes=spec.judge_votes, seed=spec.seed, parallel=max(4, spec.parallel))


async def examine(plan: Plan, judge: Judge, progress: Progress) -> Fitness | None:
    """The judge's fitness, from the votes that are kept and those that are missing; None without test pairs. Ends as
    soon as the judge is known to be unfit."""
    pairs = contests(judge.rubric, plan.cases)
    if not pairs:
        return None
    file = plan.folder / FITNESS
    votes = _kept(file)
    found = fitness_of(pairs, votes, judge.votes)

    def is_decided(name: str) -> bool:
        return is_lost([vote for vote in votes if vote.contest == name], judge.votes)

    if not found.hopeless and found.judged < found.pairs:
        progress.say(translate("evaluate.proof.tests_judge", judge=judge.model.name, count=len(pairs)))
        async with aclosing(judge.votes_on(pairs, _known(votes), is_decided)) as coming:
            async for vote in coming:
                _keep(vote, file, votes, progress)
                found = fitness_of(pairs, votes, judge.votes)
                if found.hopeless:
                    break
    progress.leave_out(2 * judge.votes * len(pairs) - len(votes))
    return found


async def judge_answers(
    plan: Plan, judge: Judge, answers: Mapping[str, Mapping[str, Mapping[str, Any]]], progress: Progress
) -> list[Vote]:
    """The votes on every question and pair of variants. answers: by variant and question."""
    met = [
        Contest(_name(pair, question), _asked(question), *(str(answers[side][question.id]["text"]) for side in pair))
        for pair in plan.pairs
        for question in plan.questions
    ]
    return await _gather(judge, met, plan.folder / VOTES, progress)


async def _gather(judge: Judge, met: Sequence[Contest], file: Path, progress: Progress) -> list[Vote]:
    votes = _kept(file)
    progress.say(translate("evaluate.proof.judges", judge=judge.model.name, count=len(met)))
    async with aclosing(judge.votes_on(met, _known(votes))) as coming:
        async for vote in coming:
            _keep(vote, file, votes, progress)
    return votes


def _kept(file: Path) -> list[Vote]:
    return [Vote(**row) for row in read_jsonl(file)]


def _known(votes: Sequence[Vote]) -> set[tuple[str, str, int]]:
    return {(vote.contest, vote.order, vote.number) for vote in votes}


def _keep(vote: Vote, file: Path, votes: list[Vote], progress: Progress) -> None:
    append_jsonl(file, [vote.to_json()])
    votes.append(vote)
    progress.add()


def results_of(plan: Plan, rubric: Rubric, votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """What the votes come to, for each pair of variants. preference: the share of questions that the right one won,
    ties and unreadable ones half; dimensions: the same for each."""
    by_contest: dict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_contest[vote.contest].append(vote)
    found = []
    for pair in plan.pairs:
        names = [_name(pair, question) for question in plan.questions]
        verdicts = [verdict_of(name, by_contest[name]) for name in names]
        counts = Counter(verdict.winner for verdict in verdicts)
        said = [vote for name in names for vote in by_contest[name]]
        found.append(
            {
                "left": pair[0],
                "right": pair[1],
                "n": len(names),
                "wins": counts["right"],
                "losses": counts["left"],
                "ties": counts["tie"],
                "unreadable": counts["unreadable"],
                "preference": _share([verdict.winner for verdict in verdicts], plan.settings),
                "votes": len(said),
                "unreadable_votes": sum(vote.winner == "unreadable" for vote in said),
                "first_place": first_place(said),
                "orders_agree": sum(verdict.agrees for verdict in verdicts) / max(1, len(verdicts)),
                "dimensions": _dimensions(rubric, names, by_contest, plan.settings),
            }
        )
    return found


def winner_of(pair: tuple[str, str], question: Question, votes: Sequence[Vote]) -> str:
    """Who won one question: a variant's name, `tie` or `unreadable`."""
    name = _name(pair, question)
    winner = verdict_of(name, [vote for vote in votes if vote.contest == name]).winner
    return {"left": pair[0], "right": pair[1]}.get(winner, winner)


def _dimensions(
    rubric: Rubric, names: Sequence[str], by_contest: Mapping[str, list[Vote]], settings: Settings
) -> dict[str, Any]:
    found = {}
    for key in rubric.keys:
        winners = []
        for name in names:
            said = [
                Vote(vote.contest, vote.order, vote.number, vote.dimensions.get(key, "unreadable"))
                for vote in by_contest[name]
            ]
            winners.append(verdict_of(name, said).winner)
        counts = Counter(winners)
        found[key] = {
            "wins": counts["right"],
            "losses": counts["left"],
            "ties": counts["tie"],
            "unreadable": counts["unreadable"],
            **_share(winners, settings),
        }
    return found


def _share(winners: Sequence[str], settings: Settings) -> dict[str, Any]:
    values = np.array([{"right": 1.0, "left": 0.0}.get(winner, 0.5) for winner in winners])[:, None]
    return interval_of(_PREFERENCE, values, settings).as_dict()


def _name(pair: tuple[str, str], question: Question) -> str:
    return f"{pair[0]}|{pair[1]}|{question.id}"


def _asked(question: Question) -> str:
    """The question with what was said before it."""
    return "\n\n".join(turn.message.text for turn in question.turns if turn.message.role in ("user", "assistant"))
