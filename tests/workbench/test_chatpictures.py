"""Pictures of conversations: made anew, kept for their owner, in the quota and the backup, gone with the words."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import AsyncIterator
from os import utime
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from metier.core.errors import DataError
from metier.workbench.accounts import Person
from metier.workbench.backup import backup, restore
from metier.workbench.chatpictures import KeptPicture
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.conversations import Asked
from metier.workbench.errors import ConflictError, NotFoundError, TooLargeError
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, member, opened, settings

SECRET = "where-it-was-taken"


def png(width: int = 30, height: int = 20) -> bytes:
    """A picture with words in its file that nobody sees."""
    said, file = PngImagePlugin.PngInfo(), io.BytesIO()
    said.add_text("Comment", SECRET)
    Image.new("RGB", (width, height), "teal").save(file, "PNG", pnginfo=said)
    return file.getvalue()


def send(workbench: Workbench, owner: Person, content: bytes, name: str = "chart.png") -> KeptPicture:
    async def parts() -> AsyncIterator[bytes]:
        yield content

    return asyncio.run(workbench.pictures.receive(owner, name, parts()))


def ask(workbench: Workbench, owner: Person, *pictures: KeptPicture, chat_id: str = "") -> str:
    """A chat with a question about pictures that nobody answers."""
    chat_id = chat_id or workbench.chats.create(owner, ChatSetup()).id
    turns = workbench.chats.put_question(owner, chat_id, "What is shown?", {}, lambda asked: None, pictures=pictures)
    assert [one["id"] for one in turns[0].details["pictures"]] == [one.id for one in pictures]
    return chat_id


def test_a_picture_is_made_anew_and_only_its_owners(workbench: Workbench, owner: Person) -> None:
    kept = send(workbench, owner, png())
    assert (kept.kind, kept.width, kept.height) == ("png", 30, 20)
    file = workbench.pictures.file(owner, kept.id)
    assert SECRET.encode() not in file.read_bytes()
    assert workbench.quota.used_bytes(owner) == kept.size == file.stat().st_size
    other = member(workbench, owner, "wang")
    for asked in (workbench.pictures.file, workbench.pictures.get, workbench.pictures.discard):
        with pytest.raises(NotFoundError):
            asked(other, kept.id)
    with pytest.raises(NotFoundError):
        workbench.pictures.named(other, [kept.id])
    assert [path.name for path in workbench.pictures.folder.rglob("*.*")] == [f"{kept.id}.png"]


def test_what_is_no_picture_or_too_much_is_refused_and_leaves_nothing(workbench: Workbench, owner: Person) -> None:
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"", png()[:60]):
        with pytest.raises(DataError) as caught:
            send(workbench, owner, content)
        assert str(caught.value).startswith("chart.png")
    workbench.quota.quota_bytes = 40
    with pytest.raises(TooLargeError):
        send(workbench, owner, png())
    assert not list(workbench.pictures.folder.rglob("*.*"))


def test_pictures_come_as_addresses_with_their_bytes_too(workbench: Workbench, owner: Person) -> None:
    address = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    (kept,) = workbench.pictures.named(owner, [address])
    assert (kept.width, kept.height) == (30, 20)
    for wrong in ("data:image/png;base64,@@@", "data:text/html,<b>", "https://example.com/a.png", "../../store"):
        with pytest.raises((DataError, NotFoundError)):
            workbench.pictures.named(owner, [wrong])
    with pytest.raises(ConflictError):
        workbench.pictures.named(owner, [kept.id] * 9)


def test_pictures_go_with_the_words_they_belong_to(workbench: Workbench, owner: Person) -> None:
    first, second, third = (send(workbench, owner, png(width)) for width in (10, 11, 12))
    chat = ask(workbench, owner, first)
    ask(workbench, owner, second, chat_id=chat)
    ask(workbench, owner, first, third)
    with pytest.raises(ConflictError):
        workbench.pictures.discard(owner, first.id)
    question = workbench.chats.turns(owner, chat)[0]

    def nothing(_asked: Asked) -> None:
        pass

    workbench.chats.put_again(owner, chat, question.id, "And what not?", {}, nothing)  # what followed is replaced
    there = {path.stem for path in workbench.pictures.folder.rglob("*.png")}
    assert there == {first.id, third.id}
    workbench.chats.remove(owner, chat)
    assert workbench.pictures.get(owner, first.id) == first  # another conversation shows it
    for one in workbench.chats.page(owner).chats:
        workbench.chats.remove(owner, one.id)
    assert not list(workbench.pictures.folder.rglob("*.png"))


def test_what_was_never_asked_about_is_cleared_away_after_a_day(workbench: Workbench, owner: Person) -> None:
    asked, old, fresh = (send(workbench, owner, png(width)) for width in (10, 11, 12))
    ask(workbench, owner, asked)
    (workbench.pictures.folder / owner.id / "0123456789abcdef.part").write_bytes(b"half")
    for one in (asked, old):
        utime(workbench.pictures.file(owner, one.id), (time.time() - 90_000,) * 2)
    workbench.pictures.clear_away()
    assert {path.stem for path in workbench.pictures.folder.rglob("*.*")} == {asked.id, fresh.id}


def test_pictures_are_in_a_backup(workbench: Workbench, owner: Person, tmp_path: Path) -> None:
    kept = send(workbench, owner, png())
    ask(workbench, owner, kept)
    backup(workbench.settings, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", settings(tmp_path / "elsewhere"))
    with opened(tmp_path / "elsewhere") as back:
        person = back.accounts.person_of_token(back.accounts.sign_in("li", PASSWORD))
        assert person is not None
        assert back.pictures.get(person, kept.id) == kept


def test_a_model_that_takes_no_pictures_says_so_beforehand(workbench: Workbench, owner: Person) -> None:
    kept = send(workbench, owner, png())
    chat = workbench.chats.create(owner, ChatSetup(models=("smollm2-135m",)))
    with pytest.raises(ConflictError, match="takes no pictures"):
        workbench.chats.ask(owner, chat.id, "What is shown?", pictures=[kept.id])
    assert not workbench.chats.turns(owner, chat.id)
    can = {one.reference: one.pictures for one in workbench.chats.models.choices(owner)}
    assert can["smollm2-135m"] is False
