from __future__ import annotations

from datetime import date

import pytest

from rag.facts import (
    day_holds,
    facts_of,
    find_dates,
    find_names,
    find_numbers,
    find_quotes,
    name_holds,
    quote_holds,
    same_number,
    spellings,
)

APPEARED = date(2025, 8, 5)


def number(text: str) -> tuple[float, str]:
    found = facts_of(text).numbers
    assert len(found) == 1, found
    return found[0].value, found[0].unit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$1.5B", "1.5 billion dollars"),
        ("US$1,500 million", "$1.5bn"),
        ("59.5%", "59.5 per cent"),
        ("671B parameters", "671 billion parameters"),
        ("three models", "3 models"),
        ("twenty-five models", "25 models"),
        ("a dozen firms", "12 firms"),
        ("17th place", "seventeenth place"),
        ("80 gigabytes", "80GB"),
        ("half of it", "50% of it"),
        ("75 cents", "$0.75"),
        ("1.5 billion Canadian dollars", "C$1.5 billion"),
        ("five yuan", "RMB 5"),
        ("a million tokens", "1,000,000 tokens"),
        ("twice", "2x"),
    ],
)
def test_two_spellings_of_one_number(one: str, other: str) -> None:
    assert number(one) == pytest.approx(number(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("65.8", "65"),
        ("$5", "C$5"),
        ("$5", "€5"),
        ("5 pounds", "5 euros"),
        ("5 million", "5 billion"),
        ("three weeks", "three months"),
        ("hundreds of thousands", "tens of thousands"),
        ("$2 billion", "2 billion parameters"),
        ("5%", "5 points"),
    ],
)
def test_different_numbers_differ(one: str, other: str) -> None:
    (said,), (shown,) = facts_of(one).numbers, facts_of(other).numbers
    assert not same_number(said, shown)


def test_a_statement_may_leave_a_unit_out_but_add_none() -> None:
    (bare,), (percent,), (money,) = (find_numbers(t) for t in ("59.5", "59.5%", "$59.5"))
    assert same_number(bare, percent)
    assert not same_number(percent, bare)
    assert not same_number(bare, money)


@pytest.mark.parametrize(
    "text", ["$10–15 billion", "$10 to $15 billion", "10 to 15 billion dollars"]
)
def test_a_range_has_its_unit_and_scale_at_both_ends(text: str) -> None:
    assert [(n.value, n.unit) for n in find_numbers(text)] == [(1e10, "$"), (1.5e10, "$")]


@pytest.mark.parametrize("text", ["No one knows", "one of them", "the smaller one is open"])
def test_the_pronoun_one_is_no_number(text: str) -> None:
    assert facts_of(text).numbers == ()


@pytest.mark.parametrize(
    "text", ["GPT-4.5", "v2.1", "Llama 3.1 405B", "o3", "gpt-oss-120b", "Grok 4"]
)
def test_versions_are_names_and_no_numbers(text: str) -> None:
    facts = facts_of(f"They tried {text} today.")
    assert [name.text for name in facts.names] == [text]
    assert facts.numbers == ()


@pytest.mark.parametrize("text", ["5 August 2025", "August 5, 2025", "2025-08-05", "Aug. 5, 2025"])
def test_one_day_in_four_spellings(text: str) -> None:
    (day,) = find_dates(f"It came on {text}.")
    assert (day.year, day.month, day.day) == (2025, 8, 5)


@pytest.mark.parametrize(
    ("said", "shown", "published", "holds"),
    [
        ("2025-08-05", "on 5 August", APPEARED, True),
        ("2025-08-05", "on 5 August", None, False),
        ("2024-08-05", "on 5 August", APPEARED, False),
        ("in August", "on 5 August", None, True),
        ("on 5 August", "in August 2025", APPEARED, False),
        ("in 2025", "on 5 August", APPEARED, True),
        ("on 31 July 2025", "on Thursday", APPEARED, True),
        ("on Tuesday", "on 5 August 2025", None, True),
        ("on Friday", "on 5 August 2025", None, False),
        ("in December 2024", "in December", date(2025, 1, 3), True),
        ("on 30 June", "on 31 June", APPEARED, False),
    ],
)
def test_a_date_follows_from_one_at_least_as_exact(
    said: str, shown: str, published: date | None, holds: bool
) -> None:
    assert day_holds(find_dates(said)[0], find_dates(shown), published) is holds


def test_both_days_of_a_range_are_dates() -> None:
    assert [d.day for d in find_dates("from 5 to 7 August")] == [5, 7]


def test_the_verb_may_is_no_month() -> None:
    assert [d.start for d in find_dates("May we see? They may. In May they did.")] == [25]


def test_money_and_counts_are_no_years() -> None:
    assert find_dates("It costs $2024 or 2,025 points") == []


def test_quotes_of_all_kinds() -> None:
    assert find_quotes('“one”, "two", ‘don’t’, «four»') == ["one", "two", "don’t", "four"]


@pytest.mark.parametrize(
    ("quote", "holds"),
    [
        ("Too  Cheap to “meter”", True),
        ("too cheap.", True),
        ("too che", False),
        ("cheap too", False),
    ],
)
def test_quoted_words_stand_verbatim(quote: str, holds: bool) -> None:
    assert quote_holds(quote, 'It is "too cheap\nto “meter”".') is holds


def test_a_quote_does_not_end_inside_a_number() -> None:
    assert not quote_holds("it cost $11", "It cost $11.5B.")


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        ("xAI", "xAI's model", True),
        ("GPT-4o", "the GPT 4o release", True),
        ("GPT-4", "the GPT-4o release", False),
        ("Claude 3", "Claude 3.5 Sonnet", False),
        ("Qwen", "Qwen2.5 is out", True),
        ("Sam Altman", "Altman said", False),
        ("OpenAI Chief Sam Altman", "OpenAI's chief Sam Altman", True),
        ("Llama 4", "Llama 3 and 4 others", False),
        ("Chinese", "in China", True),
        ("U.S.", "the United States", True),
        ("Microsoft-backed", "Microsoft paid", True),
    ],
)
def test_a_name_is_found_in_another_spelling(name: str, text: str, holds: bool) -> None:
    (found,) = find_names(f"It was {name}")
    assert name_holds(found, spellings(text)) is holds


@pytest.mark.parametrize(
    ("sentence", "premise", "names"),
    [
        ("Prices fell.", "", []),
        ("Critics objected.", "", []),
        ("Mistral fell.", "when Mistral fell", ["Mistral"]),
        ("Grass grew.", "the grass grew", []),
        ("DeepSeek fell.", "", ["DeepSeek"]),
        ("Nearly 40 people came.", "", []),
        ("The AI of Meta", "", ["Meta"]),
    ],
)
def test_the_first_word_is_a_name_only_with_reason(
    sentence: str, premise: str, names: list[str]
) -> None:
    assert [name.text for name in find_names(sentence, premise)] == names


def test_a_unit_is_no_name_and_a_count_is_no_version() -> None:
    facts = facts_of("It gave Meta 30 days and an 80GB card.")
    assert [name.text for name in facts.names] == ["Meta"]
    assert [(n.value, n.unit) for n in facts.numbers] == [(30, "day"), (80, "GB")]
