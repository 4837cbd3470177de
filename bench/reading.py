"""How fast and how truly documents are read: pages of text PDFs a second, and what OCR makes of a scanned statute.

Reads `../shared/data/law/encodings` beside the project. `python bench/reading.py [--no-ocr]`
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from metier.knowledge.document import Document
from metier.knowledge.reading import read_document
from metier.knowledge.tasks import read

LAW = Path(__file__).resolve().parents[2] / "shared" / "data" / "law" / "encodings"
PAGES_A_SECOND = 150
ROUNDS = 40


def main() -> None:
    """Prints the figures."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    texts = sorted(LAW.glob("*-font.pdf"))
    for file in texts:  # warm children
        read_document(file)
    files = texts * ROUNDS
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        pages = sum(len(document.pages) for document in pool.map(read_document, files))
    seconds = time.perf_counter() - began
    print(f"text PDFs: {len(files)} files, {pages} pages, {pages / seconds:.0f} pages/s (bar: >= {PAGES_A_SECOND})")
    began = time.process_time()
    for file in texts * 4:
        read(str(file), file.name, {}, emit=lambda event: None)
    spent = (time.process_time() - began) / (4 * sum(len(read_document(file).pages) for file in texts))
    print(f"  work of a processor: {1000 * spent:.1f} ms a page, so {2 / spent:.0f} pages/s of two that are free")

    counts = {}
    for file in sorted(LAW.iterdir()):
        if "scanned" not in file.name:
            counts[file.name] = hanzi(read_document(file))
    print("Chinese characters:", {name: len(text) for name, text in counts.items()})
    print("all the same:", len(set(counts.values())) == 1)
    if "--no-ocr" not in sys.argv:
        scanned(next(LAW.glob("*scanned*")), read_document(texts[0]))


def scanned(file: Path, truth: Document) -> None:
    """OCR against the same pages with text."""
    began = time.perf_counter()
    document = read_document(file)
    seconds = time.perf_counter() - began
    pages = len(document.pages)
    right = truth.text[: truth.pages[pages - 1].end]
    confidence = [page.confidence or 0.0 for page in document.pages]
    print(f"OCR: {pages} pages, {seconds / pages:.1f} s a page")
    print(f"  confidence: mean {sum(confidence) / pages:.4f}, least {min(confidence):.4f}")
    print(f"  character error rate: {error_rate(right, document.text):.4f} of {len(squeezed(right))} characters")
    print(f"  of the Chinese ones: {error_rate(hanzi_of(right), hanzi(document)):.4f} of {len(hanzi_of(right))}")


def error_rate(right: str, read: str) -> float:
    """Insertions, deletions and replacements per character of the truth; spaces and line ends do not count."""
    right, read = squeezed(right), squeezed(read)
    return Levenshtein.distance(right, read) / len(right)


def squeezed(text: str) -> str:
    return "".join(text.split())


def hanzi(document: Document) -> str:
    return hanzi_of(document.text)


def hanzi_of(text: str) -> str:
    return "".join(one for one in text if "\u4e00" <= one <= "\u9fff")


if __name__ == "__main__":
    main()
