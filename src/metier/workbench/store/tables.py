"""The tables. Every row that belongs to somebody carries `owner_id`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def new_id() -> str:
    """An id for a row: 16 hexadecimal digits. Not a secret: the owner is checked wherever it is used."""
    return secrets.token_hex(8)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Time(TypeDecorator[datetime]):
    """A moment, UTC in the database and in the program (SQLite forgets zones)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: Time, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's own way


class User(Base):
    """A person. name: unique, folded; role: `admin` or `member`; state: `active` or `closed`."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(300))
    role: Mapped[str] = mapped_column(String(20), default="member")
    state: Mapped[str] = mapped_column(String(20), default="active")
    language: Mapped[str] = mapped_column(String(5), default="")
    created: Mapped[datetime] = mapped_column(default=now)


class Founder(Base):
    """The first account, of which there is exactly one: the primary key is always 1."""

    __tablename__ = "founder"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))


class SignIn(Base):
    """A signed-in browser. id: sha256 of the cookie's token."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    agent: Mapped[str] = mapped_column(String(300), default="")
    created: Mapped[datetime] = mapped_column(default=now)
    seen: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]


class ApiKey(Base):
    """A key for programs. digest: sha256 of the key, which is shown once; shown: its first characters."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    shown: Mapped[str] = mapped_column(String(20))
    created: Mapped[datetime] = mapped_column(default=now)
    used: Mapped[datetime | None]


class Invitation(Base):
    """A link that lets one person sign up. digest: sha256 of its token."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(20), default="member")
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    used_by: Mapped[str | None] = mapped_column(String(16))


class Dataset(Base):
    """A registered set of an owner's. folder: below the data folder, named by id; details: columns, format, counts."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int]
    details: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class Job(Base):
    """A run in the queue, at work, or ended.

    kind: `recipe` or a step's name; spec: what is run, as checked; state: `queued` `running` `done` `failed`
    `cancelled`; place: order in the queue; devices: how many of which kind are wanted, and which it got; token: of the
    attempt that may write; reason: key and fields of the message that says why it failed.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_owner_created", "owner_id", "created"),
        Index("ix_jobs_state_place", "state", "place"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(300))
    spec: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(20), default="queued")
    place: Mapped[float] = mapped_column(default=0.0)
    wanted_devices: Mapped[int] = mapped_column(default=1)
    devices: Mapped[list[str]] = mapped_column(default=list)
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[str] = mapped_column(String(32), default="")
    process: Mapped[dict[str, Any]] = mapped_column(default=dict)
    stopping: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[dict[str, Any] | None]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cloned_from: Mapped[str | None] = mapped_column(String(16))
    notify: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]


class Lease(Base):
    """Who has a device. The device is the primary key: it cannot be given twice."""

    __tablename__ = "leases"

    device: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder_kind: Mapped[str] = mapped_column(String(20))
    holder_id: Mapped[str] = mapped_column(String(16), index=True)
    owner_id: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(default=now)


class Chat(Base):
    """A conversation. kind: `chat` with models (setup: models, system prompt, sampling), or `assistant` with a
    specialist (setup: which, whether the bare model answers beside it)."""

    __tablename__ = "chats"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20), default="chat", server_default="chat")
    title: Mapped[str] = mapped_column(String(300), default="")
    setup: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)
    changed: Mapped[datetime] = mapped_column(default=now)


class ChatTurn(Base):
    """One question or answer. side: `left` or `right`, where two models answer; state: `whole` `stopped` `writing`."""

    __tablename__ = "chat_turns"
    __table_args__ = (Index("ix_chat_turns_chat_place", "chat_id", "place"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    place: Mapped[int]
    role: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(10), default="")
    text: Mapped[str] = mapped_column(Text)
    thinking: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(20), default="whole")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime] = mapped_column(default=now)


class Review(Base):
    """A blind comparison of two runs' answers. setup: the two predict jobs and the seed that hides the sides."""

    __tablename__ = "reviews"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(300))
    setup: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[datetime] = mapped_column(default=now)


class ReviewRow(Base):
    """A question with its two answers, of a review that was made from files: no run has them."""

    __tablename__ = "review_rows"

    review_id: Mapped[str] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    prompt: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text, default="")
    left: Mapped[str] = mapped_column(Text)
    right: Mapped[str] = mapped_column(Text)


class Judgement(Base):
    """One reviewer's word on one row of a review. choice: `base` `tuned` `both` `neither`, as unblinded; dimensions:
    the same for each dimension of the review's rubric."""

    __tablename__ = "judgements"
    __table_args__ = (UniqueConstraint("review_id", "reviewer_id", "row"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    review_id: Mapped[str] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), index=True)
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    row: Mapped[int]
    choice: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    dimensions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime] = mapped_column(default=now)


class Share(Base):
    """A link to a report that works without signing in until it expires. digest: sha256 of its token."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]


class Secret(Base):
    """A tracker's or hub's key, encrypted with the installation's secret; given only to jobs that name it."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(default=now)


class SavedRecipe(Base):
    """A configuration kept under a name."""

    __tablename__ = "saved_recipes"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    spec: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class Answered(Base):
    """An answer kept for its `Idempotency-Key`: the same request again gets the same answer and does nothing."""

    __tablename__ = "answered"

    owner_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(default=now)


class Setting(Base):
    """What an admin decided for the installation, such as who may sign up."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
