"""Hostile and broken PDFs, each small on disk. Name → bytes."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from io import BytesIO

from tests.knowledge.pdfs import objects, stream

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
WORDS = b"BT /F 12 Tf 72 700 Td (The notice period is thirty days.) Tj ET"
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def page(entries: bytes = b"", box: bytes = b"0 0 595 842") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R%s>>" % (box, entries)


def simple(
    content: bytes = WORDS, *more: bytes, catalog: bytes = b"", entries: bytes = b"", kind: bytes = b""
) -> bytes:
    """One page. content: of its stream; more: objects from number 6; the rest: entries of catalog, page and stream."""
    root = CATALOG.replace(b"2 0 R>>", b"2 0 R" + catalog + b">>")
    return objects(root, PAGES, page(entries), stream(content, kind), FONT, *more)


def flate_bomb() -> bytes:
    packer = zlib.compressobj(9)
    inner = b"".join([packer.compress(b" " * (1 << 20)) for _ in range(1024)]) + packer.flush()
    return simple(zlib.compress(inner, 9), kind=b"/Filter[/FlateDecode/FlateDecode]")


def lzw_bomb() -> bytes:
    """Codes of ever longer runs, begun anew whenever the table is full."""
    bits: list[str] = []
    for _ in range(60):
        bits.append(f"{256:09b}")
        bits.append(f"{32:09b}")
        for code in range(258, 4094):
            bits.append(f"{code:0{9 if code < 511 else 10 if code < 1023 else 11 if code < 2047 else 12}b}")
        bits.append(f"{256:012b}")
    packed = "".join(bits)
    packed += "0" * (-len(packed) % 8)
    return simple(int(packed, 2).to_bytes(len(packed) // 8, "big"), kind=b"/Filter/LZWDecode")


def run_length_chain() -> bytes:
    return simple(b"\x81\x81" * 50_000 + b"\x80", kind=b"/Filter[" + b"/RunLengthDecode" * 40 + b"]")


def xref_loop() -> bytes:
    whole = simple()
    place = whole.rindex(b"xref\n0")
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % place)


def pages_loop() -> bytes:
    return objects(CATALOG, b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/Parent 2 0 R>>", page(), stream(WORDS), FONT)


def outline_loop() -> bytes:
    item = b"<</Title(a)/Parent 6 0 R/Next 7 0 R/Prev 7 0 R/First 7 0 R/Last 7 0 R>>"
    return simple(WORDS, b"<</Type/Outlines/First 7 0 R/Last 7 0 R>>", item, catalog=b"/Outlines 6 0 R")


def object_stream_in_itself() -> bytes:
    return simple(WORDS, stream(b"6 0 7 0 <<>>", b"/Type/ObjStm/N 2/First 8/Extends 6 0 R"), entries=b"/Annots 7 0 R")


def million_annotations() -> bytes:
    return simple(entries=b"/Annots[" + b"6 0 R " * 1_000_000 + b"]")


def million_lines(count: int = 1_000_000) -> bytes:
    """Each a path of its own."""
    lines = b"".join(b"%d %d m %d %d l S\n" % (x % 500, x % 701, x % 500 + 40, x % 701) for x in range(count))
    return simple(zlib.compress(WORDS + b"\n" + lines), kind=b"/Filter/FlateDecode")


def empty_pages(count: int = 100_000) -> bytes:
    kids = b"3 0 R " * count
    return objects(CATALOG, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), page(), stream(WORDS), FONT)


def endless_page() -> bytes:
    return objects(CATALOG, PAGES, page(box=b"0 0 1000000 1000000"), stream(WORDS), FONT)


def giant_to_unicode() -> bytes:
    ranges = b"".join(b"<%04x> <%04x> <0041>\n" % (code, code) for code in range(65_536)) * 20
    cmap = zlib.compress(b"begincmap\n1 beginbfrange\n" + ranges + b"endbfrange endcmap", 9)
    font = FONT[:-2] + b"/ToUnicode 6 0 R>>"
    return objects(CATALOG, PAGES, page(), stream(WORDS), font, stream(cmap, b"/Filter/FlateDecode"))


def cmap_outside() -> bytes:
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/..#2f..#2fx/DescendantFonts[<</Type/Font/Subtype/CIDFontType2"
        b"/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(../../x)/Supplement 0>>>>]>>"
    )
    return objects(CATALOG, PAGES, page(), stream(WORDS), font)


def embedded_file() -> bytes:
    names = b"/Names<</EmbeddedFiles<</Names[(../x)6 0 R]>>>>"
    file = b"<</Type/Filespec/F(../x)/UF(../x)/EF<</F 7 0 R>>>>"
    return simple(WORDS, file, stream(b"canary", b"/Type/EmbeddedFile"), catalog=names)


def javascript() -> bytes:
    action = b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);this.exportDataObject\\({cName:'x',nLaunch:2}\\);)>>"
    launch = b"/AA<</O<</S/Launch/F(/bin/touch)/P(canary)>>>>"
    return simple(catalog=action, entries=launch)


def no_pages() -> bytes:
    return objects(CATALOG, b"<</Type/Pages/Kids[]/Count 0>>")


def polyglot() -> bytes:
    import zipfile

    target = BytesIO()
    target.write(simple())
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return target.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (
        flate_bomb,
        lzw_bomb,
        run_length_chain,
        xref_loop,
        pages_loop,
        outline_loop,
        object_stream_in_itself,
        million_annotations,
        million_lines,
        empty_pages,
        endless_page,
        giant_to_unicode,
        cmap_outside,
        embedded_file,
        javascript,
        no_pages,
        polyglot,
    )
}


def torn() -> list[bytes]:
    """A file cut off at each tenth."""
    whole = simple()
    return [whole[: len(whole) * tenth // 10] for tenth in range(1, 10)]


def flipped(count: int, seed: int = 1) -> list[bytes]:
    """Copies of a file, each with one bit turned."""
    choose = random.Random(seed)
    whole = simple(zlib.compress(WORDS), kind=b"/Filter/FlateDecode")
    copies = []
    for _ in range(count):
        copy = bytearray(whole)
        copy[choose.randrange(len(copy))] ^= 1 << choose.randrange(8)
        copies.append(bytes(copy))
    return copies
