"""The one exception tree. Users' mistakes are apart from our bugs.

    MetierError
    ├── UserError            something the user can put right          exit code 2
    │   ├── DataError        a data file, row or field
    │   ├── ConfigError      a recipe, flag or key
    │   ├── ModelError       a model, adapter or package
    │   └── RunError         a run folder or step
    ├── CorruptionError      bytes on disk are not what was written    exit code 3
    ├── DivergedError        the loss became NaN or infinite           exit code 4
    └── InterruptedRunError  stopped by the user, can go on            exit code 130

Each message is one line from the package's `locale.yaml` (see `metier.core.i18n`): what was wrong, where, and what to
do next. Raise with the message's key and its fields: `DataError("data.unknown_column", file=…, row=…)`.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from metier.core.i18n import Language, translate

_LONGEST = 1000  # characters of one value in a message


class MetierError(Exception):
    """An error with a catalogued message.

    key: `package.name` in that package's `locale.yaml`; fields: values for the message's placeholders.
    """

    exit_code = 1

    def __init__(self, key: str, /, **fields: Any) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields

    def __str__(self) -> str:
        return self.text()

    def text(self, language: Language | None = None) -> str:
        """The message in `language`, or in the current one."""
        return translate(self.key, language=language, **{name: _one_line(value) for name, value in self.fields.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries (torchrun, later jobs): rebuild from key and fields.
        return _rebuild, (type(self), self.key, self.fields)


def _one_line(value: Any) -> Any:
    """Text from data (a field's name, a value) on one line and of bounded length: a message stays one line."""
    if not isinstance(value, str | PurePath | BaseException):
        return value
    value = str(value)
    if value.isprintable() and len(value) <= _LONGEST:
        return value
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in value[:_LONGEST])
    return shown + "…" if len(value) > _LONGEST else shown


def _rebuild(kind: type[MetierError], key: str, fields: dict[str, Any]) -> MetierError:
    return kind(key, **fields)


class UserError(MetierError):
    exit_code = 2


class DataError(UserError):
    pass


class ConfigError(UserError):
    pass


class ModelError(UserError):
    pass


class RunError(UserError):
    pass


class CorruptionError(MetierError):
    exit_code = 3


class DivergedError(MetierError):
    exit_code = 4


class InterruptedRunError(MetierError):
    exit_code = 130
