"""Who somebody is: sign-up, sign-in, keys, invitations, and the rights that come with a role."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metier.workbench.errors import ConflictError, NotFoundError, NotSignedInError, RefusedError
from metier.workbench.guesses import Guesses
from metier.workbench.store.database import Database
from metier.workbench.store.tables import ApiKey, Founder, Invitation, Setting, SignIn, User, now

SIGNED_IN_DAYS = 90
INVITATION_DAYS = 7
KEY_MARK = "mk-"
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 8, 1024
_REMEMBERED_SECONDS, _REMEMBERED = 10.0, 4096
_SEEN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. Every service call takes one, and sees what is theirs."""

    id: str
    name: str
    display_name: str
    role: str
    language: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class Accounts:
    """Accounts of an installation. Tokens and keys are stored as their sha256; passwords as Argon2."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.guesses = Guesses()
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._remembered: dict[str, tuple[float, Person]] = {}
        self._lock = threading.Lock()

    # Signing up

    def is_empty(self) -> bool:
        """Whether nobody has signed up yet."""
        with self.database.read() as session:
            return session.get(Founder, 1) is None

    def registration(self) -> str:
        """Who may sign up: `invited` or `open`."""
        with self.database.read() as session:
            setting = session.get(Setting, "registration")
            return str(setting.value["who"]) if setting else "invited"

    def set_registration(self, admin: Person, who: str) -> None:
        """Lets everybody sign up, or only who was invited."""
        _must_be_admin(admin)
        if who not in ("invited", "open"):
            raise ConflictError("workbench.bad_registration", given=who)
        with self.database.write() as session:
            session.merge(Setting(name="registration", value={"who": who}))

    def sign_up(self, name: str, password: str, *, invitation: str = "", language: str = "") -> Person:
        """A new account. The first becomes admin; later ones need an invitation unless registration is open."""
        shown, folded = _names(name)
        _check_password(password, folded)
        password_hash = self._hasher.hash(password)
        try:
            with self.database.write() as session:
                user = User(name=folded, display_name=shown, password_hash=password_hash, language=language)
                founder = session.get(Founder, 1) is None
                user.role = "admin" if founder else self._role_of_newcomer(session, invitation)
                session.add(user)
                session.flush()
                if founder:
                    session.add(Founder(id=1, user_id=user.id))
                elif invitation:
                    _use(session, invitation, user.id)
                session.flush()
                return _person(user)
        except IntegrityError as error:
            # Somebody was faster: with this name, or as the first of all (then this one needs an invitation too).
            if "founder" in str(error.orig).lower():
                raise RefusedError("workbench.invitation_needed") from error
            raise ConflictError("workbench.name_taken", name=shown) from error

    def _role_of_newcomer(self, session: Session, invitation: str) -> str:
        if invitation:
            row = session.scalar(select(Invitation).where(Invitation.digest == digest(invitation)))
            if row is None or row.used_by or row.expires < now():
                raise RefusedError("workbench.bad_invitation")
            return row.role
        setting = session.get(Setting, "registration")
        if setting is None or setting.value["who"] != "open":
            raise RefusedError("workbench.invitation_needed")
        return "member"

    # Signing in

    def sign_in(self, name: str, password: str, *, address: str = "", agent: str = "") -> str:
        """A token for the cookie. Raises NotSignedInError for a wrong name as for a wrong password, TooManyError for
        guesses."""
        folded = _fold(name)
        self.guesses.check(folded, address)
        with self.database.read() as session:
            user = session.scalar(select(User).where(User.name == folded, User.state == "active"))
        # An unknown name takes as long as a wrong password.
        matches = self._matches(user.password_hash if user else self._nobody, password)
        if user is None or not matches:
            self.guesses.failed(folded, address)
            raise NotSignedInError("workbench.wrong_password")
        self.guesses.succeeded(folded, address)
        return self._new_sign_in(user.id, agent)

    def sign_in_as(self, person: Person, *, agent: str = "") -> str:
        """A token for somebody who has just signed up."""
        return self._new_sign_in(person.id, agent)

    def _new_sign_in(self, user_id: str, agent: str) -> str:
        token = secrets.token_urlsafe(32)
        with self.database.write() as session:
            session.execute(delete(SignIn).where(SignIn.expires < now()))
            expires = now() + timedelta(days=SIGNED_IN_DAYS)
            session.add(SignIn(id=digest(token), owner_id=user_id, agent=agent[:300], expires=expires))
        return token

    def person_of_token(self, token: str) -> Person | None:
        """Who signed in with this token, if anybody and still."""
        return self._remember("t" + digest(token), lambda session: self._signed_in(session, token))

    def _signed_in(self, session: Session, token: str) -> tuple[Person | None, Any]:
        row = session.get(SignIn, digest(token))
        if row is None or row.expires < now():
            return None, None
        user = session.get(User, row.owner_id)
        if user is None or user.state != "active":
            return None, None
        stale = (now() - row.seen).total_seconds() > _SEEN_SECONDS
        later = {"seen": now(), "expires": now() + timedelta(days=SIGNED_IN_DAYS)}
        return _person(user), update(SignIn).where(SignIn.id == row.id).values(**later) if stale else None

    def sign_out(self, token: str) -> None:
        """Ends one sign-in."""
        with self.database.write() as session:
            session.execute(delete(SignIn).where(SignIn.id == digest(token)))
        self._forget()

    def sign_ins(self, person: Person) -> list[SignIn]:
        """Where somebody is signed in, the latest first."""
        with self.database.read() as session:
            query = select(SignIn).where(SignIn.owner_id == person.id, SignIn.expires > now())
            return list(session.scalars(query.order_by(SignIn.seen.desc())))

    def end_sign_in(self, person: Person, sign_in_id: str) -> None:
        """Ends one of somebody's sign-ins."""
        with self.database.write() as session:
            _one(session.execute(delete(SignIn).where(SignIn.owner_id == person.id, SignIn.id == sign_in_id)))
        self._forget()

    def end_other_sign_ins(self, person: Person, *, keep: str) -> None:
        """Ends all of somebody's sign-ins but one. keep: the token that stays."""
        with self.database.write() as session:
            session.execute(delete(SignIn).where(SignIn.owner_id == person.id, SignIn.id != digest(keep)))
        self._forget()

    def change_password(self, person: Person, old: str, new: str, *, keep: str = "") -> None:
        """A new password; every other sign-in ends. keep: the token that stays."""
        self.guesses.check(person.name, "")
        with self.database.read() as session:
            user = session.get(User, person.id)
        if user is None or not self._matches(user.password_hash, old):
            self.guesses.failed(person.name, "")
            raise NotSignedInError("workbench.wrong_password")
        _check_password(new, person.name)
        hashed = self._hasher.hash(new)
        with self.database.write() as session:
            session.execute(update(User).where(User.id == person.id).values(password_hash=hashed))
            session.execute(delete(SignIn).where(SignIn.owner_id == person.id, SignIn.id != digest(keep)))
        self._forget()

    def set_language(self, person: Person, language: str) -> None:
        """Remembers the language somebody reads in."""
        with self.database.write() as session:
            session.execute(update(User).where(User.id == person.id).values(language=language))
        self._forget()

    def rename(self, person: Person, name: str) -> None:
        """Another name to be shown. The one to sign in with stays."""
        shown, _ = _names(name)
        with self.database.write() as session:
            session.execute(update(User).where(User.id == person.id).values(display_name=shown))
        self._forget()

    # Keys

    def language_of(self, owner_id: str) -> str:
        """The language of an account, English where none was chosen."""
        with self.database.read() as session:
            return session.scalar(select(User.language).where(User.id == owner_id)) or "en"

    def create_key(self, person: Person, name: str) -> tuple[ApiKey, str]:
        """A key for programs, and its text, which is not kept."""
        text = KEY_MARK + secrets.token_urlsafe(32)
        row = ApiKey(owner_id=person.id, name=name.strip()[:200] or "key", digest=digest(text), shown=text[:8])
        with self.database.write() as session:
            session.add(row)
        return row, text

    def keys(self, person: Person) -> list[ApiKey]:
        """Somebody's keys, the newest first."""
        with self.database.read() as session:
            query = select(ApiKey).where(ApiKey.owner_id == person.id).order_by(ApiKey.created.desc())
            return list(session.scalars(query))

    def revoke_key(self, person: Person, key_id: str) -> None:
        """Ends a key at once."""
        with self.database.write() as session:
            _one(session.execute(delete(ApiKey).where(ApiKey.owner_id == person.id, ApiKey.id == key_id)))
        self._forget()

    def person_of_key(self, text: str) -> Person | None:
        """Whose key this is, if anybody's."""
        if not text.startswith(KEY_MARK) or len(text) > 200:
            return None
        return self._remember("k" + digest(text), lambda session: self._holder(session, text))

    def _holder(self, session: Session, text: str) -> tuple[Person | None, Any]:
        row = session.scalar(select(ApiKey).where(ApiKey.digest == digest(text)))
        user = session.get(User, row.owner_id) if row else None
        if row is None or user is None or user.state != "active":
            return None, None
        stale = row.used is None or (now() - row.used).total_seconds() > _SEEN_SECONDS
        return _person(user), update(ApiKey).where(ApiKey.id == row.id).values(used=now()) if stale else None

    # Others

    def invite(self, admin: Person, role: str = "member") -> str:
        """A token that lets one person sign up within a week."""
        _must_be_admin(admin)
        if role not in ("admin", "member"):
            raise ConflictError("workbench.bad_role", given=role)
        token = secrets.token_urlsafe(24)
        expires = now() + timedelta(days=INVITATION_DAYS)
        with self.database.write() as session:
            session.add(Invitation(owner_id=admin.id, digest=digest(token), role=role, expires=expires))
        return token

    def invitations(self, admin: Person) -> list[Invitation]:
        """Those that can still be used, the newest first."""
        _must_be_admin(admin)
        with self.database.read() as session:
            query = select(Invitation).where(Invitation.used_by.is_(None), Invitation.expires > now())
            return list(session.scalars(query.order_by(Invitation.created.desc())))

    def withdraw(self, admin: Person, invitation_id: str) -> None:
        """Makes an invitation that nobody has used worthless."""
        _must_be_admin(admin)
        with self.database.write() as session:
            unused = delete(Invitation).where(Invitation.id == invitation_id, Invitation.used_by.is_(None))
            _one(session.execute(unused))

    def users(self, admin: Person) -> list[User]:
        """All accounts, the oldest first."""
        _must_be_admin(admin)
        with self.database.read() as session:
            return list(session.scalars(select(User).order_by(User.created)))

    def set_user(self, admin: Person, user_id: str, *, role: str | None = None, state: str | None = None) -> None:
        """Changes a role, or closes or reopens an account. The last active admin stays one."""
        _must_be_admin(admin)
        if role not in (None, "admin", "member") or state not in (None, "active", "closed"):
            raise ConflictError("workbench.bad_role", given=role or state)
        with self.database.write() as session:
            user = session.get(User, user_id)
            if user is None:
                raise NotFoundError("workbench.not_found")
            user.role, user.state = role or user.role, state or user.state
            session.flush()
            query = select(func.count()).where(User.role == "admin", User.state == "active")
            if not session.scalar(query):
                raise ConflictError("workbench.last_admin")
            if user.state == "closed":
                session.execute(delete(SignIn).where(SignIn.owner_id == user_id))
                session.execute(delete(ApiKey).where(ApiKey.owner_id == user_id))
        self._forget()

    # What is remembered for some seconds, so that a page of many requests asks once

    def _remember(self, key: str, find: Any) -> Person | None:
        kept = self._remembered.get(key)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        with self.database.read() as session:
            person, change = find(session)
        if person is None:
            return None
        if change is not None:
            with self.database.write() as session:
                session.execute(change)
        with self._lock:
            if len(self._remembered) > _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = (time.monotonic() + _REMEMBERED_SECONDS, person)
        return person  # type: ignore[no-any-return]

    def _forget(self) -> None:
        with self._lock:
            self._remembered.clear()

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password[:_LONGEST_PASSWORD])
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _person(user: User) -> Person:
    return Person(user.id, user.name, user.display_name, user.role, user.language)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()[:200]


def _names(name: str) -> tuple[str, str]:
    shown = unicodedata.normalize("NFKC", name).strip()
    if not 1 <= len(shown) <= 64 or not shown.isprintable():
        raise ConflictError("workbench.bad_name")
    return shown, _fold(shown)


def _check_password(password: str, name: str) -> None:
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD or password.casefold() == name:
        raise ConflictError("workbench.bad_password", shortest=_SHORTEST_PASSWORD, longest=_LONGEST_PASSWORD)


def _use(session: Session, invitation: str, user_id: str) -> None:
    query = update(Invitation).where(Invitation.digest == digest(invitation), Invitation.used_by.is_(None))
    if session.execute(query.values(used_by=user_id)).rowcount != 1:  # type: ignore[attr-defined]
        raise RefusedError("workbench.bad_invitation")


def _one(result: Any) -> None:
    if result.rowcount != 1:
        raise NotFoundError("workbench.not_found")


def _must_be_admin(person: Person) -> None:
    if not person.is_admin:
        raise RefusedError("workbench.admin_only")
