"""Twenty people search while a statute is replaced by itself with one article changed, over 60,390 articles.

Each search asks for the changed article and must see exactly one version of it; the versions are numbered, so it is
also seen whether one that was gone came back.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, law_articles, law_passages

from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters, Passage

USERS, REPLACEMENTS = 20, 40
STATUTE, ARTICLE = "劳动合同法", "第四十七条"
ASKED = Filters("local", titles=(STATUTE,), article=ARTICLE)


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    documents = law_passages(law_articles())
    with tempfile.TemporaryDirectory() as folder:
        index = PassageIndex.open(Path(folder))
        index.replace_many({**documents, STATUTE: _version(documents[STATUTE], 0)})
        index.tidy()
        seen: list[list[list[int]]] = [[] for _ in range(USERS)]
        stop = threading.Event()
        users = [threading.Thread(target=_search, args=(Path(folder), seen[user], stop)) for user in range(USERS)]
        for user in users:
            user.start()
        seconds = []
        for number in range(1, REPLACEMENTS + 1):
            began = time.perf_counter()
            index.replace(STATUTE, _version(documents[STATUTE], number))
            seconds.append(time.perf_counter() - began)
            if number % 10 == 0:
                index.tidy(forget=number % 20 == 0)
            time.sleep(0.1)
        stop.set()
        for user in users:
            user.join()
    searches = [found for one in seen for found in one]
    both, neither = (sum(wrong(found) for found in searches) for wrong in (lambda f: len(f) > 1, lambda f: not f))
    back = sum(a[0] > b[0] for one in seen for a, b in pairwise(one) if a and b)
    print(f"load {os.getloadavg()[0]:.1f}; {USERS} users, {len(searches)} searches, {REPLACEMENTS} replacements")
    print(f"both versions seen: {both}, neither: {neither}, an older one after a newer: {back}")
    print(
        f"a replacement: median {1000 * sorted(seconds)[len(seconds) // 2]:.0f} ms, most {1000 * max(seconds):.0f} ms"
    )
    return 1 if both or neither or back else 0


def _version(passages: list[Passage], number: int) -> list[Passage]:
    return [replace(one, text=f"{one.text} 版本{number}") if one.article == ARTICLE else one for one in passages]


def _search(folder: Path, seen: list[list[int]], stop: threading.Event) -> None:
    index = PassageIndex.open(folder)  # of its own, as another process has
    while not stop.is_set():
        hits = index.search("经济补偿按工作年限", ASKED)
        seen.append([int(hit.passage.text.rpartition("版本")[2]) for hit in hits])


if __name__ == "__main__":
    sys.exit(main())
