"""Words and stems: how two sentences are compared word by word.

The stemmer is lighter than Porter's: it joins the forms of one word ("releases", "released",
"releasing"), the spellings of British and American English, and common irregular verbs. It never
joins two words that differ in more than their ending.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:[-.'’&/+][^\W_]+)*", re.UNICODE)

FUNCTION_WORDS = frozenset(
    """a an the this that these those and or but nor so yet if then than as at by for from in into
    of off on onto out over to under up with within about after again also among any are be because
    been before being both can could did do does doing done during each either else ever every few
    had has have having he her hers him his how however i is it its itself just me might more most
    much must my no not now only other our ours own per rather same shall she should since some such
    their theirs them themselves there they though through thus till too until upon us very was we
    were what when where whether which while who whom whose why will would you your yours
    according s t don didn doesn isn wasn weren won cannot without none neither never may yes
    indeed""".split()
)

_IRREGULAR = {
    form: base
    for base, forms in {
        "rise": "rose risen", "fall": "fell fallen", "grow": "grew grown", "win": "won",
        "lose": "lost", "buy": "bought", "sell": "sold", "say": "said", "pay": "paid",
        "make": "made", "begin": "began begun", "build": "built", "hold": "held", "lead": "led",
        "meet": "met", "send": "sent", "spend": "spent", "take": "took taken", "give": "gave given",
        "go": "went gone", "come": "came", "write": "wrote written", "tell": "told",
        "find": "found", "keep": "kept", "leave": "left", "run": "ran", "see": "saw seen",
        "choose": "chose chosen", "bring": "brought", "think": "thought", "become": "became",
        "draw": "drew drawn", "beat": "beaten", "break": "broke broken", "speak": "spoke spoken",
        "sue": "sued suing", "use": "used using", "withdraw": "withdrew withdrawn",
        "overtake": "overtook overtaken", "show": "shown",
    }.items()
    for form in forms.split()
}  # fmt: skip

_SUFFIXES = (
    ("isations", "ize"), ("izations", "ize"), ("isation", "ize"), ("ization", "ize"),
    ("ations", "ate"), ("ation", "ate"), ("ments", ""), ("ment", ""), ("ings", ""), ("ing", ""),
    ("ied", "y"), ("ies", "y"), ("sses", "ss"), ("ed", ""), ("es", "e"), ("ly", ""), ("s", ""),
)  # fmt: skip


def words(text: str) -> list[str]:
    """The words of `text` in lower case, with the possessive taken off.

    >>> words("xAI's Grok 4 isn't 59.5% cheaper.")
    ['xai', 'grok', '4', "isn't", '59.5', 'cheaper']
    """
    return [_plain(match.group()) for match in WORD.finditer(text)]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """One form for the inflections and spellings of a word.

    >>> [stem(word) for word in ("releases", "released", "rose", "licence", "dropped")]
    ['releas', 'releas', 'ris', 'licens', 'drop']
    """
    word = _IRREGULAR.get(word, word)
    if not word.isalpha() or len(word) < 4:
        return word
    for suffix, instead in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(suffix) + instead
            break
    return _spelling(word)


def content_stems(text: str) -> list[str]:
    """Stems of the words of `text` that carry meaning, in order, hyphens opened.

    >>> content_stems("They released the open-weight models.")
    ['releas', 'open', 'weight', 'model']
    """
    parts = (part for word in words(text) for part in re.split(r"[-/]", word))
    return [stem(part) for part in parts if part and part not in FUNCTION_WORDS]


def _plain(word: str) -> str:
    return re.sub(r"['’]s$|['’]$", "", word.lower()).replace("’", "'")


def _spelling(word: str) -> str:
    word = word.removesuffix("e")
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    if len(word) > 4 and word.endswith("is"):
        word = word[:-2] + "iz"
    if word.endswith("our") and len(word) > 4:
        word = word[:-3] + "or"
    return word[:-2] + "ns" if word.endswith("nc") else word
