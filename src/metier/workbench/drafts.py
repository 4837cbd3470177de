"""A configuration as it is being written: everything that is wrong with it at once, and the same thing as text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metier.core.errors import ConfigError, UserError
from metier.core.i18n import translate
from metier.core.specs import WrongValue, wrong_values
from metier.data.entries import shipped_entries
from metier.data.several import names_in
from metier.recipes import llamafactory
from metier.recipes.checking import wrong_in_recipe
from metier.recipes.recipe import Recipe, merge, parse_recipe, read_recipe
from metier.workbench.accounts import Person
from metier.workbench.work import STEPS, check_work

Freeze = Callable[[Person, str, dict[str, Any], Path | None], dict[str, Any]]
_SET_KEYS = ("data.train", "data.test", "data.guard", "dataset", "eval_dataset", "train.eval_dataset")


@dataclass(frozen=True)
class Draft:
    """A checked configuration. wrong: empty where it could be started; work: complete, as a job would have it;
    brief: as a person would write it; text: that as YAML; command: what does the same in a terminal; own: the sets and
    runs it names, which have these names in this workbench only."""

    wrong: list[WrongValue]
    work: dict[str, Any] = field(default_factory=dict)
    brief: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    command: str = ""
    own: list[str] = field(default_factory=list)


class Drafts:
    """Checks what somebody is writing. freeze: as of `Freezer`, called without a folder; rows_of: of an owner's set."""

    def __init__(self, freeze: Freeze, rows_of: Callable[[Person, str], int | None]) -> None:
        self._freeze = freeze
        self._rows_of = rows_of

    def check(self, owner: Person, kind: str, work: Mapping[str, Any]) -> Draft:
        """All wrong keys and values, or the work complete with its texts. Raises ConfigError for an unknown kind."""
        values = dict(work)
        wrong = _wrong_values(kind, values)
        # Names are looked up beside values that are still wrong: everything is said at once.
        seen = {one.key for one in wrong}
        wrong += [one for one in self._wrong_names(owner, kind, values) if one.key not in seen]
        if wrong:
            return Draft(wrong)
        checked = check_work(kind, values)
        try:
            self._freeze(owner, kind, checked, None)
        except UserError as error:
            return Draft([WrongValue(str(error.fields.get("key", "")), error.text())])
        short = brief(kind, checked)
        few = self._too_few_rows(owner, checked) if kind == "recipe" else []
        if few:
            return Draft(few)
        return Draft([], checked, short, as_yaml(kind, checked), as_command(kind, short), _own_names(short))

    def _wrong_names(self, owner: Person, kind: str, values: Mapping[str, Any]) -> list[WrongValue]:
        """Sets and models that are not there, or not this owner's."""
        found = []
        for key in _SET_KEYS:
            section, _, rest = key.rpartition(".")
            if bool(section) != (kind == "recipe"):
                continue
            holder = values.get(section) if section else values
            name = holder.get(rest) if isinstance(holder, Mapping) else None
            if name and isinstance(name, str):
                found += self._refused(owner, key, {"dataset": name})
            elif key in ("data.train", "dataset") and kind in ("recipe", "train") and not name:
                found.append(WrongValue(key, translate("workbench.choose_dataset")))
        model = values.get("model_name_or_path")
        if isinstance(model, str) and model:
            found += self._refused(owner, "model_name_or_path", {"model_name_or_path": model})
        return found

    def _too_few_rows(self, owner: Person, work: Mapping[str, Any]) -> list[WrongValue]:
        """Where more rows would be kept away to be measured on than there are."""
        data = work["data"]
        rows = None if data["test"] else self._rows_of(owner, data["train"])
        if rows is None or rows > data["test_rows"]:
            return []
        return [WrongValue("data.test_rows", translate("workbench.too_few_rows", rows=rows))]

    def _refused(self, owner: Person, key: str, values: dict[str, Any]) -> list[WrongValue]:
        try:
            self._freeze(owner, "predict", values, None)
        except UserError as error:
            return [WrongValue(key, error.text())]
        return []


def _wrong_values(kind: str, values: Mapping[str, Any]) -> list[WrongValue]:
    if kind == "recipe":
        return wrong_in_recipe(values)
    if kind in STEPS:
        return wrong_values(STEPS[kind], values)
    try:
        check_work(kind, values)
    except ConfigError as error:
        if "key" not in error.fields:
            raise
        return [WrongValue(str(error.fields["key"]), error.text())]
    return []


def _own_names(values: Mapping[str, Any]) -> list[str]:
    """Sets that are not shipped, and runs."""
    found: dict[str, None] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= dict.fromkeys(_own_names(value))
        elif isinstance(value, str) and value.startswith("run:"):
            found[value] = None
        elif isinstance(value, str) and value and key in ("train", "test", "guard", "dataset", "eval_dataset"):
            found |= dict.fromkeys(name for name in names_in(value) if name not in shipped_entries())
    return list(found)


def brief(kind: str, work: Mapping[str, Any]) -> dict[str, Any]:
    """The work as a person would write it: without defaults, and what steps share only once."""
    if kind == "recipe":
        return _recipe(work).brief()
    if kind not in STEPS:
        return dict(work)
    usual = STEPS[kind]().model_dump(mode="json")
    always = ("model_name_or_path", "dataset", "stage", "finetuning_type") if kind == "train" else ()
    given = STEPS[kind].model_validate(dict(work)).model_dump(mode="json")
    return {key: value for key, value in given.items() if value != usual[key] or key in always}


def as_yaml(kind: str, work: Mapping[str, Any]) -> str:
    """The work as a file: a recipe, or for a training the flat file that LLaMA-Factory and `metier run` read."""
    values = brief(kind, work)
    if kind == "train":
        # There, earlier answers are learnt from unless the file says otherwise.
        values = {**values, "do_train": True, "train_on_history": bool(work.get("train_on_history"))}
    return str(yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120))


def as_command(kind: str, short: Mapping[str, Any]) -> str:
    """A line for a terminal that does the same."""
    if kind == "recipe":
        return shlex.join(["metier", "run", f"{file_name(str(short.get('name') or 'recipe'))}.yaml"])
    words = ["metier", kind]
    for key, value in short.items():
        words += [f"--{key}", _flag(value)]
    return shlex.join(words)


def file_name(name: str) -> str:
    """A name that a file can have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "recipe"


def _flag(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Mapping):
        return ",".join(f"{key}={each}" for key, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_text(text: str, kind: str = "") -> tuple[str, dict[str, Any], list[str]]:
    """Kind, work and unread keys of a pasted YAML: a recipe, or a training in LLaMA-Factory's flat form.

    kind: `train` keeps a flat file a training alone. Raises ConfigError for what is neither.
    """
    if _has_aliases(text):
        raise ConfigError("workbench.yaml_aliases")  # a few lines of them can unfold to gigabytes
    recipe = read_recipe(text, "YAML")
    flat = llamafactory.is_training_yaml(yaml.safe_load(text))
    if flat and kind == "train":
        train = recipe.step("train").model_dump(mode="json")
        return "train", brief("train", train), list(recipe.notes)
    return "recipe", recipe.brief(), list(recipe.notes)


def _has_aliases(text: str) -> bool:
    try:
        return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return False  # reading it says what is wrong


def _recipe(work: Mapping[str, Any]) -> Recipe:
    return parse_recipe(dict(work), "recipe")


def change(kind: str, work: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The work with some keys changed (`train.learning_rate`). A key that steps share (`seed`) changes in all that had
    the shared value, because it stands only once in the brief form."""
    result = brief(kind, work)
    for key, value in changes.items():
        section, _, rest = key.partition(".")
        result = merge(result, {section: {rest: value}} if rest else {section: value})
    return result
