"""Reads files of predictions: ours, LLaMA-Factory's, anybody's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.files import read_json, sha256_file, sha256_text
from metier.core.quantities import read_quantity
from metier.core.registry import nearest
from metier.evaluate.choices import Options, options_of, read_choices
from metier.evaluate.metrics.definition import Kind
from metier.evaluate.metrics.finmme import is_finmme
from metier.rendering.thinking import opens_thinking, split_thinking

PREDICTIONS = "predictions.jsonl"
KINDS: tuple[Kind, ...] = ("choice", "number", "exact", "contains", "open")
_NUMERICAL = ("numerical", "numeric")  # other words for `number`
_SHORT = 60  # characters: a longer answer about a picture is a description
_BARE_LETTERS = re.compile(r"\s*\(?[A-J](?:\s*[,、]?\s*[A-J]){0,9}\)?\s*[.。]?\s*")


@dataclass(frozen=True, slots=True)
class Row:
    """One prediction. id: as given, else the place in the file from 0; line: in the file, from 1.

    predict: the raw text; answer: without its thinking; gold: the short right answer; cut: stopped by max_new_tokens;
    images: path or sha256 of each picture asked about; row: of the set, from 1, where the file tells.
    """

    id: int | str
    line: int
    prompt: str
    predict: str
    label: str
    answer: str
    thinking: bool
    kind: Kind
    gold: str | None
    options: Options
    prompt_sha256: str | None
    cut: bool
    completion_tokens: int | None
    meta: Mapping[str, Any]
    images: tuple[str, ...] = ()
    row: int | None = None

    @property
    def pictured(self) -> bool:
        """Whether the question is about a picture."""
        return bool(self.images) or "chart_type" in self.meta

    @property
    def finmme(self) -> bool:
        """Whether the row is of FinMME's kind."""
        return is_finmme(self.meta) and self.gold is not None

    @property
    def question_sha256(self) -> str:
        """What must be equal for two answers to be answers to the same question."""
        return self.prompt_sha256 or sha256_text(self.prompt)


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the keys in the file; `answer` names the short gold answer, in the row or in its `meta`."""

    predict: str = "predict"
    label: str = "label"
    prompt: str = "prompt"
    answer: str = "answer"


def predictions_file(path: Path) -> Path:
    """The file of predictions that `path` names: itself, or the one of a predict or evaluate step's folder.

    Raises DataError if there is none, and if the file is not the one that an evaluate step scored.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError("evaluate.no_file", file=path)
        return path
    if (path / PREDICTIONS).is_file():
        return path / PREDICTIONS
    metrics = path / "metrics.json"
    if metrics.is_file():
        named = read_json(metrics).get("predictions", {})
        found = path / str(named.get("file", ""))
        if found.is_file():
            if sha256_file(found) != named.get("sha256"):
                raise DataError("evaluate.predictions_changed", file=found, folder=path)
            return found
    raise DataError("evaluate.no_predictions_in_folder", folder=path)


def read_predictions(file: Path, fields: Fields, *, need_labels: bool = True) -> list[Row]:
    """All rows. Raises DataError naming file and line for the first that is not a prediction, for an empty file, and
    with `need_labels` for one without any reference."""
    rows = [_row(record, line, at, file, fields) for at, (line, record) in enumerate(_records(file))]
    if not rows:
        raise DataError("evaluate.empty", file=file)
    if need_labels and not any(row.label or row.gold for row in rows):
        raise DataError("evaluate.no_labels", file=file, field=fields.label)
    seen: dict[int | str, int] = {}
    for row in rows:
        if row.id in seen:
            raise DataError("evaluate.repeated_id", file=file, line=row.line, id=row.id, other=seen[row.id])
        seen[row.id] = row.line
    return rows


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines of JSON, or one JSON list (numbered by element)."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError("evaluate.unreadable_file", file=file, problem=error.strerror or error) from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    if content.lstrip()[:1] == b"[":
        whole = _json(content, file, 1)
        yield from ((at, _record(value, file, at)) for at, value in enumerate(whole, start=1))
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, _record(_json(line, file, number), file, number)


def _json(content: bytes, file: Path, line: int) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError("evaluate.not_utf8", file=file, line=line + content[: error.start].count(b"\n")) from error
    except json.JSONDecodeError as error:
        raise DataError("evaluate.not_json", file=file, line=line + error.lineno - 1, problem=error.msg) from error
    except RecursionError as error:
        raise DataError("evaluate.not_json", file=file, line=line, problem="nested too deeply") from error


def _record(value: Any, file: Path, line: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError("evaluate.not_object", file=file, line=line)
    return value


def _row(record: dict[str, Any], line: int, place: int, file: Path, fields: Fields) -> Row:
    predict = _text(record, fields.predict, "predict_field", line, file)
    meta = record.get("meta") if isinstance(record.get("meta"), dict) else {}
    given = record.get(fields.answer, (meta or {}).get(fields.answer))
    if fields.label not in record and given is not None:
        label = _short(given)
    else:
        label = _text(record, fields.label, "label_field", line, file)
    prompt = _prompt(record.get(fields.prompt))
    thinking, answer = split_thinking(predict)
    if thinking is None and predict and opens_thinking(prompt):
        thinking, answer = predict, ""  # the prompt opened the thinking, and generation was cut before its end
    # The reference is compared without its thinking; the raw metrics read both texts as they stand.
    reference = split_thinking(label)[1]
    options = options_of(prompt, record.get("options", (meta or {}).get("options")))
    images = _images(record.get("images"))
    pictured = bool(images) or "chart_type" in (meta or {})
    kind = _kind((meta or {}).get("kind", record.get("kind")), given, reference, options, pictured=pictured)
    tokens = record.get("completion_tokens")
    return Row(
        id=record["id"]
        if isinstance(record.get("id"), int | str) and not isinstance(record.get("id"), bool)
        else place,
        line=line,
        prompt=prompt,
        predict=predict,
        label=label,
        answer=answer,
        thinking=thinking is not None,
        kind=kind,
        gold=_gold(kind, given, reference, options),
        options=options,
        prompt_sha256=str(record["prompt_sha256"]) if record.get("prompt_sha256") else None,
        cut=record.get("finish_reason") == "length",
        completion_tokens=tokens if isinstance(tokens, int) else None,
        meta=meta or {},
        images=images,
        row=record["row"] if isinstance(record.get("row"), int) and not isinstance(record.get("row"), bool) else None,
    )


def _text(record: dict[str, Any], key: str, option: str, line: int, file: Path) -> str:
    if key not in record:
        names = ", ".join(str(name) for name in record) or "–"
        hint = nearest(key, [str(name) for name in record])
        raise DataError("evaluate.no_field", file=file, line=line, field=key, names=names, option=option, hint=hint)
    value = record[key]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # servers return a list of samples
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise DataError("evaluate.not_text", file=file, line=line, field=key)
    return value if isinstance(value, str) else _short(value)


def _prompt(value: Any) -> str:
    """The prompt as text; messages are joined."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "\n\n".join(_prompt(part) for part in value)
    if isinstance(value, Mapping):
        return _prompt(value.get("content", value.get("text", "")))
    return "" if value is None else str(value)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_short(part) for part in value)
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def _images(given: Any) -> tuple[str, ...]:
    return tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()


def _kind(named: Any, given: Any, reference: str, options: Options, *, pictured: bool) -> Kind:
    """As the row says, else by its gold answer: a choice where options were offered and it is one, a number, a short
    answer about a picture; else open."""
    if named in _NUMERICAL:
        return "number"
    if named in KINDS:
        return named  # type: ignore[no-any-return]
    short = _short(given) if given is not None else reference
    if _BARE_LETTERS.fullmatch(short):
        return "choice"
    if options and read_choices(reference, options):
        return "choice"
    if len(short) > _SHORT or "\n" in short.strip():
        return "open"
    return "number" if read_quantity(short) else "exact" if pictured and short.strip() else "open"


def _gold(kind: Kind, given: Any, reference: str, options: Options) -> str | None:
    """Letters for a choice; for other kinds the short answer the row gives, else (not for open rows) the label."""
    if kind == "choice":
        return read_choices(_short(given) if given is not None else reference, options)
    if given is not None:
        return _short(given)
    return None if kind == "open" else reference
