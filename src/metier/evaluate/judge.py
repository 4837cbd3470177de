"""A judge: any `ChatModel` that is shown a question and two answers and says, by a rubric, which is better.

Each pair is judged in both orders and several times. A judge that prefers a place is found out by that: a pair is won
only where both orders name the same answer. What a judge says that cannot be read is a result too, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.core.i18n import Language
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Request, Turn
from metier.engines.sampling import Sampling
from metier.evaluate.concurrently import several
from metier.evaluate.judgement import Reading, is_settled, read_judgement
from metier.evaluate.judging_prompt import judging_prompt, judging_schema
from metier.evaluate.rubric import Rubric
from metier.rendering.thinking import strip_thinking

Winner = Literal["left", "right", "tie", "unreadable"]
Order = Literal["left_first", "right_first"]
ORDERS: tuple[Order, ...] = ("left_first", "right_first")
_ANSWER_TOKENS = 400
_LEAST_TOKENS = 100  # that must be left for a judgement
_TOO_LONG = "(the pair is longer than the judge's window)"  # kept as what was said: it reads as no judgement


@dataclass(frozen=True, slots=True)
class Contest:
    """Two answers to one question. id: names it among others."""

    id: str
    question: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What a judge said once. winner: `left`, `right`, `tie`, or `unreadable`; dimensions: the same for each dimension
    that it named; text: what it wrote, as it was."""

    contest: str
    order: Order
    number: int
    winner: Winner
    dimensions: dict[str, Winner] = field(default_factory=dict)
    text: str = ""
    tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        """The vote as a line of a file."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all votes on one contest come to. by_order: the winner in each order; winner: `unreadable` where an order
    has no readable majority, `tie` where the orders differ; agrees: whether both orders say the same."""

    contest: str
    by_order: dict[Order, Winner]
    winner: Winner

    @property
    def agrees(self) -> bool:
        return len(set(self.by_order.values())) == 1


@dataclass(frozen=True, slots=True)
class Judge:
    """A model with a rubric. votes: how often each order of each pair is judged; parallel: requests at a time."""

    model: ChatModel
    rubric: Rubric
    language: Language
    votes: int = 1
    seed: int = 42
    parallel: int = 4

    async def votes_on(
        self,
        contests: Iterable[Contest],
        known: Collection[tuple[str, str, int]],
        is_decided: Callable[[str], bool] = lambda contest: False,
    ) -> AsyncGenerator[Vote, None]:
        """The votes that are not `known` (contest, order, number), each as it comes. is_decided: asked before each
        vote; a contest that is decided needs no more."""
        asked = (
            (contest, order, number)
            for contest in contests
            for order in ORDERS
            for number in range(self.votes)
            if (contest.id, order, number) not in known and not is_decided(contest.id)
        )
        async with aclosing(several(asked, lambda one: self.vote(*one), self.parallel)) as votes:
            async for vote in votes:
                yield vote

    async def vote(self, contest: Contest, order: Order, number: int) -> Vote:
        """One vote. Errors of the engine are raised; an answer that cannot be read is a vote."""
        first, second = (contest.left, contest.right) if order == "left_first" else (contest.right, contest.left)
        text, tokens = await self._ask(contest.question, first, second, number)
        found = read_judgement(text, self.rubric)
        return Vote(
            contest.id,
            order,
            number,
            _winner(found.overall, order),
            {key: _winner(choice, order) for key, choice in found.dimensions.items()},
            text,
            tokens,
        )

    async def _ask(self, question: str, first: str, second: str, number: int) -> tuple[str, int]:
        system, asked = judging_prompt(self.rubric, self.language, question, first, second)
        request = Request(
            turns=(Turn(message("system", system)), Turn(message("user", asked))),
            # One vote is the likeliest one; several are drawn, or they would all be the same.
            sampling=Sampling(
                temperature=0.0 if self.votes == 1 else 0.7,
                top_p=0.95,
                top_k=-1,
                max_new_tokens=_ANSWER_TOKENS,
                seed=self.seed + number,
            ),
            schema=judging_schema(self.rubric) if self.model.can_follow_schema else None,
            enable_thinking=False,  # a verdict in the asked form; thoughts would fill the answer's tokens
        )
        written: list[str] = []
        tokens = self.model.count(request.turns)
        if tokens + _LEAST_TOKENS > self.model.context_length:
            return _TOO_LONG, 0
        async with aclosing(self.model.stream(request)) as deltas:
            async for delta in deltas:
                if delta.kind == "answer":
                    written.append(delta.text)
                    if is_settled("".join(written)):
                        break
                elif delta.kind == "end" and delta.usage is not None:
                    tokens = delta.usage.prompt_tokens + delta.usage.completion_tokens
        return strip_thinking("".join(written)), tokens


def verdict_of(contest: str, votes: Sequence[Vote]) -> Verdict:
    """What the votes on one contest come to."""
    by_order = {order: _majority([vote.winner for vote in votes if vote.order == order]) for order in ORDERS}
    said = set(by_order.values())
    winner: Winner = "unreadable" if "unreadable" in said else said.pop() if len(said) == 1 else "tie"
    return Verdict(contest, by_order, winner)


def _majority(winners: Sequence[Winner]) -> Winner:
    """What more than half of the votes say: unreadable ones count as votes for nothing."""
    counts = Counter(winners)
    for winner, count in counts.most_common(1):
        if 2 * count > len(winners):
            return winner
    return "unreadable" if 2 * counts["unreadable"] >= len(winners) else "tie"


def _winner(choice: Reading, order: Order) -> Winner:
    if choice in ("tie", "unreadable"):
        return choice
    return "left" if (choice == "first") == (order == "left_first") else "right"
