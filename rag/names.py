"""Names in a question: capitals, model versions, and well-known companies in any case."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.days import undated
from rag.plain import plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Publishers that also make the news they publish: naming them mostly makes them the subject. A
# longer name belongs to them when it begins with one of these ("Google DeepMind").
NEWSMAKERS = _words(
    "adobe alibaba amazon amd anthropic apple baidu bytedance cerebras cognition cohere cursor "
    "databricks deepmind deepseek google groq huawei ibm intel meta microsoft midjourney minimax "
    "mistral moonshot nvidia openai oracle perplexity qwen runway salesforce samsung "
    "stability tencent tesla xai xiaomi z.ai zhipu"
)
# Unlike `rag.words.FUNCTION_WORDS` without "now", "few" or "over", which a topic may need, and with
# words of asking: "compare", "please", "summarise".
STOPWORDS = _words(
    "a about according after all also although am an and any are as at be because been before "
    "being between both but by can compare compared considering contrast could describe did do "
    "does during each either else explain find for from give had has have he her hers him his how "
    "however i if in into is it its itself list may me might more most much must my name no nor "
    "not of on or our per please regarding shall she should show since so such summarise summarize "
    "tell than that the their theirs them then there these they this those to under until us was "
    "we were what when where whether which while who whom whose why will with would yes yet you "
    "your"
)
# Capitals that name nothing in particular in this library.
_GENERIC = _words(
    "agi ai api apis ceo cfo cto gpu gpus i ipo llm llms ml ok january february march april may "
    "june july august september october november december"
)
# A model's size or tier, written in lower case behind its name: "GPT-5 mini".
_TIERS = _words("flash large lite max medium mini nano plus preview pro small turbo ultra")
WORD = re.compile(r"\w(?:[\w+/'-]|\.(?=\w))*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name and its place; unlike `rag.facts.Name` with the case and the tier of the asker."""

    start: int
    end: int
    text: str

    @property
    def is_version(self) -> bool:
        return any(char.isdigit() for char in self.text)


def names_of(text: str) -> list[str]:
    """The names in `text`: capitals, model versions, well-known companies in any case.

    >>> names_of("Is Claude Opus 4.5 cheaper than openai's gpt-5?")
    ['Claude Opus 4.5', "openai's gpt-5"]
    """
    return [name.text for name in find_names(text)]


def find_names(text: str) -> list[Name]:
    """The names in `text` with their places."""
    words = list(WORD.finditer(undated(plain(text))))
    names: list[Name] = []
    for at, word in enumerate(words):
        glued = bool(names) and text[names[-1].end : word.start()] == " "
        if glued and _continues(word[0]):
            names[-1] = Name(names[-1].start, word.end(), text[names[-1].start : word.end()])
        elif _is_name(word[0], _opens(text, word.start())) or _opens_name(text, words, at):
            start = names.pop().start if glued else word.start()
            names.append(Name(start, word.end(), text[start : word.end()]))
    return names


def _continues(word: str) -> bool:
    return word[0].isdigit() or word in _TIERS or word == "AI"


def _opens(text: str, start: int) -> bool:
    return not re.search(r"[^\s.?!:]['\"]?\s*$", text[:start])


def _opens_name(text: str, words: list[re.Match[str]], at: int) -> bool:
    """Whether the first word of a sentence is a name because one follows it: "Kimi K2 ..."."""
    word = words[at]
    if at + 1 == len(words) or not word[0][0].isupper():
        return False
    if word[0].casefold() in STOPWORDS | _GENERIC:
        return False
    after = words[at + 1]
    glued = text[word.end() : after.start()] == " "
    return glued and (_is_name(after[0], False) or after[0][0].isdigit())


def _is_name(word: str, opens: bool) -> bool:
    bare = word.removesuffix("'s").rstrip("'")
    low = bare.casefold()
    if low in NEWSMAKERS or low.startswith("gpt"):
        return True
    if not bare or low in STOPWORDS or low in _GENERIC or not bare[0].isalpha():
        return False
    if any(char.isdigit() for char in bare) or any(char.isupper() for char in bare[1:]):
        return True
    return bare[0].isupper() and (not opens or word != bare)
