"""Reads which options an answer in free text names: `答案是C`, `故选ABD`, `The correct option is **D**`, `(B)`.

Never a guess: what is not stated is unreadable. The rules, in this order:

1. An options list that the answer repeats (`A. … B. … C. …`) does not count.
2. Statements (`answer is …`, `选 …`, `… is the correct answer`), in both languages; the last one that is not negated
   (`不是A`, `not A`) wins; one that hedges (`A or B`) reads as nothing. After `answer is`, an option's text counts too.
3. Without a statement: an answer that is only letters, that starts with one marked option (`B. …`), whose last line is
   only letters, that has exactly one letter in brackets, or that calls exactly one option correct.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

Options = tuple[tuple[str, str], ...]
ALPHABET = "ABCDEFGHIJ"
DEFAULT_LETTERS = "ABCDE"

_MARKUP = re.compile(r"\*+|`+|\$|\\(?:text|mathrm|mathbf|textbf)\b|[\"'“”‘’「」『』]|__+")
_MARKER = re.compile(r"(?<![A-Za-z0-9])\(?([A-J])(?:\s*[.、:)]|(?<=^.)[ \t]+(?=\S))", re.MULTILINE)
_LABELLED = re.compile(r"\s*[(（]?([A-J])(?:\s*[.、:：)）．]\s*|\s+)(.*)", re.DOTALL)
_BRACKETS = str.maketrans({"[": "(", "{": "(", "【": "(", "〔": "(", "]": ")", "}": ")", "】": ")", "〕": ")"})

_LEAD = re.compile(
    r"""
    (?:
      (?P<named>
        答案\)?\s*(?:应该|应当|应|就|只能|最可能)?(?:选择|选|是|为|[:=\-—\s])*
      | (?:正确|最佳|最合适|最恰当|最可能)的?(?:选项|选择|说法|描述|诊断|一项)?\s*(?:应该|应当|应|就)?(?:是|为|[:\s])+
      )
    | (?:选项|选择)\s*(?:应该|应当|应|就)?(?:是|为|:)+
    | 选择?[:\s]*
    | (?:而是|应是|应为|应当是|应该是)
    )
    (?:选项|选)?[:\s]*
    |
    (?i:
      (?P<called>
        \b(?:answers?|choice)\s*(?:\([^()]{0,20}\)\s*)?
        (?:should\ be|would\ be|must\ be|is|was|are|[:=\-–—\s])*
        (?:therefore|thus|clearly|likely|most\ likely|definitely)?[:,\s]*
      | \b(?:correct|right|best|final|most\ appropriate|most\ likely)\s+(?:option|response|selection|one|diagnosis)s?\s*
        (?:should\ be|would\ be|must\ be|is|are|[:\s])+
      )
    | \b(?:choose|chose|select|selected|pick|go\ with|going\ with)\s+
    | \bit(?:\ is|s|\ must\ be|\ should\ be|\ would\ be)\s+(?:likely\ |most\ likely\ )?
    | \bnot\s+(?:option\s+)?\(?[A-J]\)?\s*,?\s*but\s+(?:rather\s+)?
    | \\?boxed\s*
      )
      (?i:(?:the\s+)?(?:correct\s+|right\s+|best\s+)?(?:options?|choice|answer|letter)?[:\s]*)
    """,
    re.VERBOSE,
)
_NEGATED_BEFORE = re.compile(
    r"(?:还是|或者?|不|别|勿|非|未|排除|错误的?|不正确的?|避免|误(?:选择?)?|干扰|[首筛挑优备精遴入候])[应该当能会可要宜是]{0,2}\s*$"
    r"|(?i:\b(?:not|never|n't|nt|wrong|incorrect|rule\ out|cannot|avoid)(?:\s+(?:the|a|to|be|have))*\s*)$"
)
_JUDGED = re.compile(
    r"(?P<letters>(?<![A-Za-z0-9])[A-J](?![A-Za-z0-9]))\)?\s*(?:选?项)?\s*"
    r"(?:(?:(?:[对错]|正确|错误),)?[是为]\s*(?:本题)?的?(?:正确|最佳)的?(?:答案|选项|选择)"
    r"|(?i:is|are)\s+(?i:therefore\s+|thus\s+)?(?i:the\s+)(?i:only\s+|most\s+)?(?i:correct|right|best|appropriate)\s+"
    r"(?i:answer|option|choice|one|response)s?)"
)
_CALLED_RIGHT = re.compile(
    r"(?<![A-Za-z0-9])(?P<letter>[A-J])\)?\s*(?:选?项)?\s*(?:(?:是|为)?(?:正确|对)的?|(?i:\s+is\s+(?:the\s+)?(?:correct|right)))(?![A-Za-z])"
)
_CALLED = re.compile(
    r"(?<![A-Za-z0-9])(?P<letter>[A-J])\)?\s*(?:选?项)?\s*(?:[是为]?(?:正确|错误|对|错|不正确|不对)|(?i:\s+is\s+(?:\w+\s+)?(?:correct|right|wrong|incorrect|false)))"
)
# Words that may follow a letter without making it part of a longer term.
_CONNECTORS = re.compile(
    r"(?i:because|since|as|and|is|are|due|for|which|that|but|although|while|with|in|from|given|based|where|not|if)\b"
)
_TERMS = re.compile(
    r"错|对|型|族|细胞|淋巴|级|超|端|肽|期|二聚|组|类|区|链|群|环|波|线|反应蛋白|抗原|病毒|吗|还是|或|到底"
)
_SPECIES = re.compile(
    r"\.\s?(?:coli|difficile|fumigatus|burgdorferi|faecalis|albicans|elegans|pneumoniae|perfringens|tetani|botulinum|"
    r"cereus|anthracis|baumannii|neoformans|trachomatis|diphtheriae|histolytica)\b"
)
_HEDGE = re.compile(r"\)?\s*(?:or|或者?|还是)\s*选?\s*\(?[A-J](?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class _Grammar:
    """The patterns for one set of letters."""

    letters: str
    group: re.Pattern[str]
    bare: re.Pattern[str]
    marked: re.Pattern[str]
    bracketed: re.Pattern[str]
    lower: re.Pattern[str]


@lru_cache(maxsize=16)
def _grammar(letters: str) -> _Grammar:
    one = f"[{letters}]"
    joint = r"\)?\s*(?:,\s*(?:and|和)?|、|/|;|&|\+|和|与|及|以及|\band\b|[ \t])\s*\(?(?:(?i:options?)\s*|选项)?"
    group = rf"\(?\s*(?P<letters>{one}+(?:{joint}{one}+(?![A-Za-z0-9]))*)(?![A-Za-z0-9])"
    return _Grammar(
        letters=letters,
        group=re.compile(group),
        bare=re.compile(rf"\s*{group}\s*\)?\s*(?:选?项)?\s*[.。!;,:]?\s*"),
        marked=re.compile(rf"^\s*\(?({one})\s*(?:[.、:)]\s*|\s+(?=[\u4e00-\u9fff]))", re.MULTILINE),
        bracketed=re.compile(rf"(?<![A-Za-z0-9])\(\s*({one})\s*\)"),
        lower=re.compile(rf"\(?\s*(?P<letters>[{letters.lower()}])\s*\)?\s*(?=[.,;:)。]|$)", re.MULTILINE),
    )


def read_choices(text: str, options: Options = ()) -> str | None:
    """The options that `text` names as its answer, sorted (`"C"`, `"ABD"`), or None when it cannot be told.

    options: letter and text of the choices offered, where known; A to E are read in any case.
    """
    letters = "".join(sorted({*DEFAULT_LETTERS, *(letter for letter, _ in options)}))
    grammar = _grammar(letters)
    clean = _without_repeated_options(_plain(text), grammar)
    if not clean.strip():
        return None
    whole = grammar.bare.fullmatch(clean) or grammar.lower.fullmatch(clean.strip())
    if whole:
        found = _letters(whole["letters"])
        return found if _is_sorted_group(whole["letters"]) else None
    statements = sorted(_statements(clean, grammar, options), key=lambda statement: statement[0])
    if statements:
        return statements[-1][1]
    return _unstated(clean, grammar, options)


def _plain(text: str) -> str:
    """Full-width forms made plain; markup and quotation marks removed; all brackets round."""
    text = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return _MARKUP.sub("", text)


def _without_repeated_options(text: str, grammar: _Grammar) -> str:
    """Blanks the letters of a run `A. … B. … C. …` of three or more, on lines or in one line."""
    markers = list(_MARKER.finditer(text))
    masked = list(text)
    at = 0
    while at < len(markers):
        end = at
        while end < len(markers) and markers[end][1] == ALPHABET[end - at : end - at + 1]:
            end += 1
        if end - at >= 3:
            for marker in markers[at:end]:
                masked[marker.start(1)] = "·"
        at = max(end, at + 1)
    return "".join(masked)


def _letters(group: str) -> str:
    return "".join(sorted({char.upper() for char in re.findall(r"(?<![a-z])[A-Ja-j](?![a-z])|[A-J]", group)}))


def _is_sorted_group(group: str) -> bool:
    """`ABD` or `A, B and D` are options; `DAD`, `BED` are words."""
    together = re.findall(r"[A-J]+", group)
    return all(len(set(run)) == len(run) and list(run) == sorted(run) for run in together)


def _statements(text: str, grammar: _Grammar, options: Options) -> Iterator[tuple[int, str | None]]:
    """Places and letters of what the text states to be its answer; None for one that hedges."""
    for lead in _LEAD.finditer(text):
        if _NEGATED_BEFORE.search(text[max(0, lead.start() - 20) : lead.start()]):
            continue
        group = grammar.group.match(text, lead.end())
        if group and _is_sorted_group(group["letters"]):
            if _HEDGE.match(text, group.end()):
                yield lead.start(), None
                continue
            if _stands_alone(text, group, options):
                yield lead.start(), _letters(group["letters"])
                continue
        lower = grammar.lower.match(text, lead.end())
        if lower:
            yield lead.start(), lower["letters"].upper()
            continue
        # The text of an option counts after `the answer is`, not after `选`, which is part of many words.
        answers = lead["named"] or lead["called"]
        named = _option_named(text[lead.end() :], options) if answers else None
        if named:
            yield lead.start(), named
    for judged in _JUDGED.finditer(text):
        known = judged["letters"] in grammar.letters
        if known and not _NEGATED_BEFORE.search(text[max(0, judged.start() - 20) : judged.start()]):
            yield judged.start(), judged["letters"]


def _stands_alone(text: str, group: re.Match[str], options: Options) -> bool:
    """Whether the letter is an option and not the start of `A patient`, `C-reactive protein`, `B细胞`, `E. coli`."""
    after = text[group.end() :]
    if _SPECIES.match(after):
        return False
    after = after.lstrip(")")
    if not after or after[0] in "\n.。,;:!?、()|/":
        return True
    own = dict(options).get(group["letters"][-1], "")
    rest = after.lstrip()
    if own and rest.casefold().startswith(_plain(own).casefold()[:12].strip()):
        return True
    if after[0] in "-–—":
        return not re.match(r"[-–—][A-Za-z0-9\u4e00-\u9fff]", after)
    if not rest or after.startswith((" \n", "  ")):
        return True
    if re.match(r"[\u4e00-\u9fff]", rest):
        return not _TERMS.match(rest)
    if re.match(r"[a-z]", rest):
        return bool(_CONNECTORS.match(rest))
    return True


def _option_named(text: str, options: Options) -> str | None:
    """The one option whose text stands at the start of `text`; the longest where several do."""
    start = text.lstrip().casefold()
    found: list[tuple[int, str | None]] = [
        (len(words), letter)
        for letter, option in options
        if (words := _plain(option).strip().rstrip(".。").casefold()) and len(words) > 1 and start.startswith(words)
    ]
    return max(found, default=(0, None))[1]


def _unstated(text: str, grammar: _Grammar, options: Options) -> str | None:
    lines = [line for line in text.splitlines() if line.strip()]
    last = grammar.bare.fullmatch(lines[-1])
    if last and _is_sorted_group(last["letters"]):
        return _letters(last["letters"])
    marked = [match for match in grammar.marked.finditer(text) if _is_option(text, match, options)]
    if marked:
        named = "".join(sorted({match[1] for match in marked}))
        starts_text = not text[: marked[0].start()].strip()
        if len(named) == 1 and starts_text:
            return named
        # Several marked lines and nothing else answer a multiple choice; all options at once only repeat the question.
        repeated = named == "".join(letter for letter, _ in options)
        return named if starts_text and len(marked) == len(lines) == len(named) and not repeated else None
    called = {match["letter"] for match in _CALLED.finditer(text)}
    right = {match["letter"] for match in _CALLED_RIGHT.finditer(text)}
    if called:
        return called.pop() if len(called) == 1 and called == right and right <= set(grammar.letters) else None
    bracketed: set[str] = set(grammar.bracketed.findall(text))
    if len(bracketed) == 1:
        return bracketed.pop()
    whole = text.strip().rstrip(".。").casefold()
    same = [letter for letter, option in options if _plain(option).strip().rstrip(".。").casefold() == whole]
    return same[0] if len(same) == 1 else None


def _is_option(text: str, marker: re.Match[str], options: Options) -> bool:
    """Whether `B. …` at a line's start is option B rather than the start of a name."""
    if _SPECIES.match(text, marker.end(1)):
        return False
    own = dict(options).get(marker[1])
    rest = text[marker.end() :].lstrip().casefold()
    return not own or not rest or rest.startswith(_plain(own).strip().casefold()[:4])


def options_of(prompt: str, given: object = None) -> Options:
    """The choices offered: a row's own `options` (list, mapping), else the last run `A. … B. …` in the prompt."""
    if isinstance(given, Mapping):
        return tuple((str(letter), str(text)) for letter, text in given.items())
    if isinstance(given, Sequence) and not isinstance(given, str) and 2 <= len(given) <= len(ALPHABET):
        labelled = [_LABELLED.match(str(text)) for text in given]
        letters = [match[1] for match in labelled if match]
        if len(letters) == len(given) and letters == sorted(set(letters)):
            return tuple((match[1], match[2]) for match in labelled if match)
        return tuple(zip(ALPHABET, map(str, given), strict=False))
    return _options_in(prompt)


@lru_cache(maxsize=1 << 12)
def _options_in(prompt: str) -> Options:
    markers = list(re.finditer(r"(?<![A-Za-z0-9])[(（]?([A-J])\s*[.、:：)）．]", prompt))
    runs: list[list[re.Match[str]]] = []
    for marker in markers:
        if marker[1] == "A":
            runs.append([marker])
        elif runs and marker[1] == ALPHABET[len(runs[-1]) : len(runs[-1]) + 1]:
            runs[-1].append(marker)
    run = next((run for run in reversed(runs) if len(run) >= 2), [])
    if not run:
        return ()
    ends = [marker.start() for marker in run[1:]] + [len(prompt)]
    return tuple(
        (marker[1], re.split(r"\n|<\|", prompt[marker.end() : end], maxsplit=1)[0].strip())
        for marker, end in zip(run, ends, strict=True)
    )
