"""Pages without text are read from their picture by RapidOCR, whose models come in its package. In the child."""

from __future__ import annotations

import os
import re
from typing import Any

from metier.knowledge.painting import page_image
from metier.knowledge.readers import Emit, Source

LONG_SIDE = 1760  # pixels: 150 dpi of A4; at 110 dpi whole lines were missed, 200 dpi reads no better
LEAST_SCORE = 0.3
_MARKS = {"(": "（", ")": "）", ",": "，", ":": "：", ";": "；", "?": "？", "!": "！"}
_CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_FULL_STOP = re.compile("(?<=[\u4e00-\u9fff\uff09])[0oO]$")  # the Chinese one at the end of a line is read as a ring
_ARTICLE = re.compile(
    r"^(第[零一二三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十])?)(?=[\u4e00-\u9fff])(?![第的和或至之规])"
)
_BESIDE_CHINESE = re.compile(f"(?<={_CHINESE})[(),:;?!]|[(),:;?!](?={_CHINESE})")


def seen(source: Source, pages: list[int], emit: Emit) -> dict[str, Any]:
    """What stands on the pages: number → `lines` (text, score, and left, top, right, bottom as fractions)."""
    engine = _engine()
    found: dict[str, Any] = {}
    emit({"event": "progress", "step": 0, "total": len(pages)})
    for step, number in enumerate(pages, 1):
        found[str(number)] = {"lines": _lines(engine, source, number)}
        emit({"event": "progress", "step": step, "total": len(pages)})
    return found


def _engine() -> Any:
    from rapidocr import RapidOCR

    threads = min(4, os.cpu_count() or 1)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": LEAST_SCORE,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _lines(engine: Any, source: Source, number: int) -> list[dict[str, Any]]:
    import numpy

    image = page_image(source, number, long_side=LONG_SIDE).convert("RGB")
    low, high = image.convert("L").getextrema()
    if low == high:  # nothing on it
        return []
    answer = engine(numpy.asarray(image)[:, :, ::-1])
    if answer.txts is None:
        return []
    wide, tall = image.size
    lines = []
    for text, score, corners in zip(answer.txts, answer.scores, answer.boxes, strict=True):
        across, down = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        box = [min(across) / wide, min(down) / tall, max(across) / wide, max(down) / tall]
        if text.strip():
            lines.append(
                {
                    "text": _mended(text.strip()),
                    "score": round(float(score), 4),
                    "box": [max(0.0, min(1.0, x)) for x in box],
                }
            )
    return lines


def _mended(text: str) -> str:
    """A line with the marks that Chinese is written with, and the space behind an article's number that is lost."""
    text = _BESIDE_CHINESE.sub(lambda mark: _MARKS[mark.group()], _FULL_STOP.sub("。", text))
    return _ARTICLE.sub(r"\1 ", text)
