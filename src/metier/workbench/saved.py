"""Configurations that somebody kept under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from metier.workbench.accounts import Person
from metier.workbench.drafts import brief
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import SavedRecipe
from metier.workbench.work import check_work

MOST = 500


class SavedRecipes:
    """Saved configurations of an installation's owners."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def save(
        self, owner: Person, name: str, kind: str, work: Mapping[str, Any], *, replace: bool = False
    ) -> SavedRecipe:
        """Keeps a configuration that could be started. replace: in the place of one of the same name.

        Raises ConfigError for what is wrong with it, ConflictError for a name that is taken.
        """
        name = name.strip()
        if not 0 < len(name) <= 200 or not name.isprintable():
            raise ConflictError("workbench.no_recipe_name")
        spec = brief(kind, check_work(kind, work))
        row = SavedRecipe(owner_id=owner.id, name=name, kind=kind, spec=spec)
        mine = SavedRecipe.owner_id == owner.id
        try:
            with self.database.write() as session:
                if replace:
                    session.execute(delete(SavedRecipe).where(mine, SavedRecipe.name == name))
                if (session.scalar(select(func.count()).select_from(SavedRecipe).where(mine)) or 0) >= MOST:
                    raise ConflictError("workbench.too_many_recipes", most=MOST)
                session.add(row)
        except IntegrityError as error:
            raise ConflictError("workbench.recipe_taken", name=name) from error
        return row

    def list(self, owner: Person) -> list[SavedRecipe]:
        """Somebody's configurations by name."""
        with self.database.read() as session:
            query = select(SavedRecipe).where(SavedRecipe.owner_id == owner.id).order_by(SavedRecipe.name)
            return list(session.scalars(query))

    def get(self, owner: Person, recipe_id: str) -> SavedRecipe:
        """One of them. Raises NotFoundError."""
        with self.database.read() as session:
            query = select(SavedRecipe).where(SavedRecipe.owner_id == owner.id, SavedRecipe.id == recipe_id)
            row = session.scalar(query)
        if row is None:
            raise NotFoundError("workbench.not_found")
        return row

    def rename(self, owner: Person, recipe_id: str, name: str) -> SavedRecipe:
        """Another name. Raises ConflictError where it is taken."""
        name = name.strip()
        if not 0 < len(name) <= 200 or not name.isprintable():
            raise ConflictError("workbench.no_recipe_name")
        row = self.get(owner, recipe_id)
        try:
            with self.database.write() as session:
                row = session.merge(row)
                row.name = name
        except IntegrityError as error:
            raise ConflictError("workbench.recipe_taken", name=name) from error
        return row

    def remove(self, owner: Person, recipe_id: str) -> None:
        """Forgets one."""
        with self.database.write() as session:
            result: Any = session.execute(
                delete(SavedRecipe).where(SavedRecipe.owner_id == owner.id, SavedRecipe.id == recipe_id)
            )
            if result.rowcount != 1:
                raise NotFoundError("workbench.not_found")
            forget_answers(session, owner.id, recipe_id)
