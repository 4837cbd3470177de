"""The `hf` engine on pictured prompts: batches answer as transformers' generate does one by one."""

from __future__ import annotations

import json
import random
import string
from io import StringIO
from pathlib import Path

import pytest
import torch

from metier.cli import main
from metier.core.events import EventLog
from metier.data.messages import Message, message
from metier.engines import ChatSession, EngineOptions, Sampling, open_engine
from metier.engines.base import Engine
from metier.models import resolve_model
from metier.predict import PredictSpec, run_predict
from metier.rendering import Prompt
from metier.rendering.eyes import Seen
from metier.rendering.eyes.mllama import MllamaEyes
from metier.rendering.eyes.remembering import RememberingEyes
from tests.vision.support import Talk, alone, generated

GREEDY = Sampling(temperature=0, max_new_tokens=20)


@pytest.fixture(scope="module")
def engine(mllama: Path) -> Engine:
    return open_engine("hf", resolve_model(str(mllama)), EngineOptions(dtype="float32", device="cpu"))


def questions(talk: Talk, count: int, pictures: tuple[int, ...] = (0, 1, 2)) -> list[list[Message]]:
    draw = random.Random(5)
    return [
        talk.ask(
            "What " * draw.randrange(1, 9),
            *((draw.randrange(20, 90), draw.randrange(20, 90)) for _ in range(pictures[number % len(pictures)])),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("batch_size", [None, 3])
def test_greedy_answers_are_those_of_generate(mllama: Path, engine: Engine, talk: Talk, batch_size: int | None) -> None:
    asked = questions(talk, 12)
    prompts = [engine.renderer.prompt(one) for one in asked]
    found = {
        index: done.token_ids
        for batch in engine.generate(prompts, GREEDY, batch_size=batch_size)
        for index, done in batch
    }
    model = engine._network.core  # type: ignore[attr-defined]
    for index, one in enumerate(asked):
        assert found[index] == generated(mllama, model, one, engine.renderer.stop_ids, 20), index


def by_generate(engine: Engine, prompt: Prompt, *, repetition_penalty: float = 1.0) -> list[int]:
    """What transformers' generate answers to a prompt of ours, alone."""
    renderer = engine.renderer
    assert renderer.eyes is not None
    ids = torch.tensor([prompt.input_ids])
    seen = renderer.eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
    if seen.pop("position_ids", None) is not None:  # generate makes Qwen's own from these
        seen["mm_token_type_ids"] = (ids == renderer.tokenizer.convert_tokens_to_ids("<|image_pad|>")).long()
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **seen}
    model = engine._network.core  # type: ignore[attr-defined]
    return alone(model, inputs, renderer.stop_ids, 20, repetition_penalty=repetition_penalty)


@pytest.mark.parametrize("family", ["gemma3", "qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm"], indirect=True)
def test_other_families_answer_in_batches_as_generate_does(family: Path, talk: Talk) -> None:
    engine = open_engine("hf", resolve_model(str(family)), EngineOptions(dtype="float32", device="cpu"))
    prompts = [engine.renderer.prompt(one) for one in questions(talk, 9)]
    found = {i: done.token_ids for batch in engine.generate(prompts, GREEDY, batch_size=4) for i, done in batch}
    for index, prompt in enumerate(prompts):
        assert found[index] == by_generate(engine, prompt), index


def test_a_repetition_penalty_counts_tokens_and_not_positions(qwen3_vl: Path, talk: Talk) -> None:
    engine = open_engine("hf", resolve_model(str(qwen3_vl)), EngineOptions(dtype="float32", device="cpu"))
    # Large pictures, which have far more tokens than positions, before words with tokens of their own.
    asked = [talk.ask(string.printable[: 60 + number], *[(300, 300)] * (2 + number % 2)) for number in range(6)]
    prompts = [engine.renderer.prompt(one) for one in asked]
    penalised = GREEDY.model_copy(update={"repetition_penalty": 1.5})
    together = {i: done.token_ids for batch in engine.generate(prompts, penalised) for i, done in batch}
    for index, prompt in enumerate(prompts):
        ((_, one),) = [pair for batch in engine.generate([prompt], penalised) for pair in batch]
        assert together[index] == one.token_ids
        assert together[index] == by_generate(engine, prompt, repetition_penalty=1.5)


def test_what_stands_before_the_pictures_is_computed_once(qwen3_vl: Path, talk: Talk) -> None:
    engine = open_engine("hf", resolve_model(str(qwen3_vl)), EngineOptions(dtype="float32", device="cpu"))
    said = message("system", "You read charts and answer in one word, without any explanation.")
    prompts = [engine.renderer.prompt([said, *one]) for one in questions(talk, 6, (1, 2))]
    computed: list[tuple[int, ...]] = []  # rows and tokens of each pass
    core = engine._network.core  # type: ignore[attr-defined]
    hook = core.register_forward_pre_hook(
        lambda _module, _, given: computed.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    together = {i: done.token_ids for batch in engine.generate(prompts, GREEDY) for i, done in batch}
    hook.remove()
    before = prompts[0].input_ids.index(engine.renderer.tokenizer.convert_tokens_to_ids("<|image_pad|>"))
    assert computed[0] == (1, before)
    assert max(tokens for _, tokens in computed[1:]) == max(len(prompt.input_ids) for prompt in prompts) - before
    for index, prompt in enumerate(prompts):
        ((_, one),) = [pair for batch in engine.generate([prompt], GREEDY) for pair in batch]
        assert together[index] == one.token_ids


def test_a_conversation_goes_on_about_its_picture(engine: Engine, talk: Talk) -> None:
    session = ChatSession(engine, sampling=GREEDY, system_prompt="Be brief.")
    first = "".join(piece.text for piece in session.ask("What is it?", images=[talk.picture()]))
    assert first
    assert "".join(piece.text for piece in session.ask("And the trend?"))
    assert [len(turn.images) for turn in session.history] == [1, 0, 0, 0]


def test_a_picture_is_looked_at_once_in_a_conversation_and_the_newest_are_kept(mllama: Path, talk: Talk) -> None:
    engine = open_engine("hf", resolve_model(str(mllama)), EngineOptions(dtype="float32", device="cpu"))
    core = engine._network.core  # type: ignore[attr-defined]
    looked: list[int] = []
    core.model.vision_model.register_forward_hook(lambda *_: looked.append(1))
    session = ChatSession(engine, sampling=GREEDY)
    list(session.ask("What is it?", images=[talk.picture()]))
    list(session.ask("And the trend?"))
    assert len(looked) == 1
    eyes = engine.renderer.eyes
    assert type(eyes) is MllamaEyes
    narrow = RememberingEyes(eyes, core, 2 * 4 * 5 * 32 * 4, newest=True)  # room for two pictures
    rows = [Seen(prompt.input_ids, prompt.pictures) for prompt in map(engine.renderer.prompt, questions(talk, 3, (1,)))]
    looked.clear()
    for row, times in ((rows[0], 1), (rows[1], 2), (rows[0], 2), (rows[2], 3), (rows[0], 3), (rows[1], 4)):
        narrow.tensors([row], len(row.input_ids))
        assert len(looked) == times


def test_predictions_name_their_pictures_and_are_kept_while_those_stay_the_same(
    mllama: Path, talk: Talk, tmp_path: Path
) -> None:
    rows = talk.dataset(5)
    chosen = PredictSpec(
        model_name_or_path=str(mllama), dataset=str(rows), temperature=0, max_new_tokens=4, device="cpu"
    )
    run_predict(chosen, tmp_path / "out", EventLog(None))
    made = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [Path(row["images"][0]).name for row in made] == [f"{number}.png" for number in range(1, 6)]
    assert made[0]["prompt"].count("<|image|>") == 1
    events: list[dict[str, object]] = []
    (tmp_path / "1.png").write_bytes((tmp_path / "2.png").read_bytes())
    run_predict(chosen, tmp_path / "out", EventLog(None, [events.append]))
    again = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert again[0]["prompt_sha256"] != made[0]["prompt_sha256"]
    assert [row["predict"] for row in again[1:]] == [row["predict"] for row in made[1:]]
    assert next(event for event in events if event["event"] == "start")["resumed"] == 4


def test_the_terminal_shows_pictures(
    mllama: Path, tiny_model: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = talk.picture().path
    named = (talk.folder / "none.png", "https://charts.example/a.png", picture)
    said = "\n".join(["What is it?", *(f"/image {one}" for one in named), "And this?", "/exit", ""])
    monkeypatch.setattr("sys.stdin", StringIO(said))
    main(["chat", str(mllama), "--image", str(picture), "--max_new_tokens", "3"])
    shown = capsys.readouterr().out
    assert "none.png" in shown.replace("\n", "")  # a long path is broken over lines
    assert "https://charts.example/a.png: pictures on the web are not fetched" in shown.replace("\n", " ")
    assert "1 picture(s) go with the next question" in shown
    assert main(["chat", str(tiny_model), "--image", str(picture)]) != 0
    assert "takes no pictures" in capsys.readouterr().err
