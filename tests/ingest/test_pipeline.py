from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.article import Article
from corpus.embedding import Embedder
from corpus.errors import BusyError, EmbedderChangedError, EmptyLibraryError, SearchIndexError
from corpus.indexes import folder_of, open_current, opened
from corpus.library import Library, Scope
from corpus.settings import Settings
from ingest.bundled import bundled_articles
from ingest.files import Refused
from ingest.pipeline import Pipeline, writing
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder

LONG = "\n\n".join(f"Paragraph {n} says what model {n} costs and does. " * 8 for n in range(12))


class StoppedError(Exception):
    """The power went."""


class FailingEmbedder(FakeEmbedder):
    """A FakeEmbedder that stops after some passages."""

    def __init__(self, after: int, seed: int = 0, max_tokens: int = 256) -> None:
        super().__init__(seed=seed, max_tokens=max_tokens)
        self.after = after

    def encode(self, texts, role="passage"):  # type: ignore[no-untyped-def]
        if len(self.encoded) + len(texts) > self.after:
            raise StoppedError
        return super().encode(texts, role)


def assert_indexed(library: Library, settings: Settings, embedder: Embedder) -> None:
    """Both indexes hold the current passages and nothing else, with the embedder's vectors."""
    indexes = open_current(library, settings, embedder)
    live = library.live()
    assert indexes.words.ids() == indexes.vectors.ids() == live
    for index in ("words", "vectors"):
        assert library.indexed(indexes.generation.name, index) == live  # type: ignore[arg-type]
    indexes.close()


def test_what_is_ingested_is_found(pipeline: Pipeline, fake: FakeEmbedder) -> None:
    report = pipeline.ingest(imported(*map(make_article, range(5))))
    assert (dict(report.counts), report.embedded, report.notes) == ({"new": 5}, 5, [])
    assert_indexed(pipeline.library, pipeline.settings, fake)
    indexes = open_current(pipeline.library, pipeline.settings, fake)
    wanted = make_article(3)
    (best, _), *_ = indexes.words.search("model number 3", 5)
    assert best.startswith(f"{wanted.id}#")
    query = fake.encode([f"{wanted.header} {wanted.text}"])[0]
    alpha = pipeline.library.ids_in_scope(Scope(publishers=("Alpha",)))
    (near, cosine), *_ = indexes.vectors.search(query, 1, alpha)
    assert near == best and cosine > 0.9
    indexes.close()


def test_the_same_again_changes_and_embeds_nothing(pipeline: Pipeline, fake: FakeEmbedder) -> None:
    items = imported(*map(make_article, range(5)))
    pipeline.ingest(items)
    fake.encoded.clear()
    report = pipeline.ingest(items)
    assert (dict(report.counts), report.embedded, fake.encoded) == ({"unchanged": 5}, 0, [])


def test_the_bundled_corpus_goes_in_once(bundled_home: Path, embedder: Embedder) -> None:
    library = Library.open(bundled_home)
    report = Pipeline(library, embedder, Settings(home=bundled_home)).ingest(bundled_articles())
    assert (dict(report.counts), report.refused, report.notes) == ({"unchanged": 88}, [], [])
    assert report.embedded == 0
    assert_indexed(library, Settings(home=bundled_home), embedder)


def test_a_revision_takes_the_place_of_the_old_one(pipeline: Pipeline, fake: FakeEmbedder) -> None:
    pipeline.ingest(imported(make_article(1), make_article(2)))
    report = pipeline.ingest(imported(make_article(1, text="It was withdrawn.")))
    assert (dict(report.counts), report.embedded) == ({"revised": 1}, 1)
    assert_indexed(pipeline.library, pipeline.settings, fake)
    indexes = open_current(pipeline.library, pipeline.settings, fake)
    assert len(indexes.words.search("withdrawn", 5)) == 1
    indexes.close()


def test_a_new_title_is_embedded_again_and_a_new_author_is_not(
    pipeline: Pipeline, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(make_article(1)))
    assert pipeline.ingest(imported(make_article(1, author="A"))).embedded == 0
    assert pipeline.ingest(imported(make_article(1, author="A", title="Zebra"))).embedded == 1
    assert fake.encoded[-1].startswith("Zebra · Beta · 2025-02-02\n")
    indexes = open_current(pipeline.library, pipeline.settings, fake)
    assert len(indexes.words.search("zebra", 5)) == 1
    indexes.close()


def test_refused_items_are_told_and_the_others_go_in(pipeline: Pipeline) -> None:
    bad = Refused("b.md", "it has no text")
    report = pipeline.ingest([bad, *imported(make_article(1))])
    assert (report.refused, report.counts["new"], report.failed_entirely) == ([bad], 1, False)
    assert pipeline.ingest([bad]).failed_entirely
    assert not pipeline.ingest([]).failed_entirely


def test_two_files_with_one_address_are_two_revisions(pipeline: Pipeline) -> None:
    items = imported(make_article(1), make_article(1, title="Other", text="Another text."))
    report = pipeline.ingest(items)
    assert dict(report.counts) == {"new": 1, "revised": 1}
    assert report.notes == [
        "file:2: has the address of file:1 and another text, "
        "so it is kept as a later revision of that article"
    ]
    again = pipeline.ingest(items)
    assert (dict(again.counts), again.embedded, again.notes) == ({"unchanged": 2}, 0, [])


def test_two_files_that_differ_in_the_title_alone_do_not_take_turns(pipeline: Pipeline) -> None:
    items = imported(make_article(1), make_article(1, title="Other title"))
    report = pipeline.ingest(items)
    assert dict(report.counts) == {"new": 1, "unchanged": 1}
    assert "file:2: has the address and the text of file:1" in report.notes[0]
    assert pipeline.ingest(items).embedded == 0
    (article,) = pipeline.library.articles()
    assert article.title == "Report 1"


def test_progress_tells_each_stage(pipeline: Pipeline) -> None:
    told: list[tuple[str, int, int | None]] = []
    pipeline.ingest(imported(make_article(1), make_article(2)), lambda *event: told.append(event))
    assert told == [
        ("reading", 1, None),
        ("reading", 2, None),
        ("indexing words", 2, 2),
        ("embedding", 2, 2),
    ]


def test_a_title_of_a_page_is_left_out_rather_than_the_end_of_the_passage(
    pipeline: Pipeline, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(make_article(1, title="long " * 300)))
    assert fake.encoded == [make_article(1).text]


def test_two_at_once_are_one_too_many(pipeline: Pipeline) -> None:
    with writing(pipeline.library.home):
        for write in (lambda: pipeline.ingest([]), pipeline.reindex):
            with pytest.raises(BusyError, match="Another ingest is writing"):
                write()
    pipeline.ingest([])


def test_an_empty_library_is_told(library: Library, settings: Settings, fake: Embedder) -> None:
    with pytest.raises(EmptyLibraryError, match="is empty") as caught:
        open_current(library, settings, fake)
    assert "groundwire ingest" in caught.value.remedy


# Killed and changed embedders


def test_an_ingest_that_stopped_goes_on_where_it_was(library: Library, settings: Settings) -> None:
    items = imported(*map(make_article, range(200)))
    with pytest.raises(StoppedError):
        Pipeline(library, FailingEmbedder(after=130), settings).ingest(items)
    assert library.counts().articles == 200, "articles are stored before anything is embedded"
    assert library.counts().words == 200
    rest = FakeEmbedder()
    assert Pipeline(library, rest, settings).ingest(items).embedded == 200 - 128
    assert_indexed(library, settings, rest)


def test_another_embedder_is_refused_until_reindex(
    pipeline: Pipeline, library: Library, settings: Settings, fake: FakeEmbedder
) -> None:
    items = imported(*map(make_article, range(5)))
    pipeline.ingest(items)
    other = FakeEmbedder(seed=1, dimension=32)
    for refused in (
        lambda: open_current(library, settings, other),
        lambda: Pipeline(library, other, settings).ingest(items),
    ):
        with pytest.raises(EmbedderChangedError, match=r"fake-0.*not with 'fake-1'") as caught:
            refused()
        assert "groundwire reindex" in caught.value.remedy
    generation = Pipeline(library, other, settings).reindex()
    assert_indexed(library, settings, other)
    assert [path.name for path in (library.home / "index").iterdir()] == [generation.name]
    with pytest.raises(EmbedderChangedError):
        open_current(library, settings, fake)


def test_a_reindex_that_stopped_leaves_the_old_index_answering_and_goes_on(
    pipeline: Pipeline, library: Library, settings: Settings, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(*map(make_article, range(150))))
    with pytest.raises(StoppedError):
        Pipeline(library, FailingEmbedder(after=100, seed=1), settings).reindex()
    assert_indexed(library, settings, fake)
    rest = FakeEmbedder(seed=1)
    Pipeline(library, rest, settings).reindex()
    assert len(rest.encoded) == 150 - 64
    assert_indexed(library, settings, rest)


def test_a_stopped_reindex_by_a_third_embedder_begins_anew(
    pipeline: Pipeline, library: Library, settings: Settings
) -> None:
    pipeline.ingest(imported(*map(make_article, range(150))))
    with pytest.raises(StoppedError):
        Pipeline(library, FailingEmbedder(after=100, seed=1), settings).reindex()
    third = FakeEmbedder(seed=2, dimension=16)
    Pipeline(library, third, settings).reindex()
    assert len(third.encoded) == 150
    assert_indexed(library, settings, third)
    assert len(list((library.home / "index").iterdir())) == 1


def test_a_stopped_reindex_whose_files_are_gone_begins_anew(
    pipeline: Pipeline, library: Library, settings: Settings
) -> None:
    pipeline.ingest(imported(*map(make_article, range(150))))
    with pytest.raises(StoppedError):
        Pipeline(library, FailingEmbedder(after=100, seed=1), settings).reindex()
    building = library.building()
    assert building is not None
    shutil.rmtree(folder_of(library.home, building))
    rest = FakeEmbedder(seed=1)
    Pipeline(library, rest, settings).reindex()
    assert len(rest.encoded) == 150
    assert_indexed(library, settings, rest)


def test_articles_that_came_during_a_stopped_reindex_are_in_the_new_index(
    pipeline: Pipeline, library: Library, settings: Settings
) -> None:
    pipeline.ingest(imported(*map(make_article, range(150))))
    with pytest.raises(StoppedError):
        Pipeline(library, FailingEmbedder(after=100, seed=1), settings).reindex()
    pipeline.ingest(imported(make_article(500), make_article(3, text="Withdrawn.")))
    new = FakeEmbedder(seed=1)
    Pipeline(library, new, settings).reindex()
    assert_indexed(library, settings, new)


def test_a_smaller_embedder_gets_smaller_passages(
    pipeline: Pipeline, library: Library, settings: Settings, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(make_article(1, text=LONG), make_article(2)))
    before, short = library.live(), make_article(2)
    small = FakeEmbedder(seed=1, max_tokens=96)  # asserts that nothing is cut silently
    Pipeline(library, small, settings).reindex()
    assert_indexed(library, settings, small)
    assert len(library.live()) > len(before)
    kept = {id_ for id_ in before if id_.startswith(short.id)}
    assert kept <= library.live(), "what fits stays as it is, and citations with it"
    for passage, article in library.passages(sorted(library.live())):
        assert small.count_tokens(passage.text) <= 96
        assert article.text[passage.start : passage.end] == passage.text


def test_while_a_smaller_embedder_is_at_work_all_is_answered_by_words(
    pipeline: Pipeline, library: Library, settings: Settings, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(make_article(1, text=LONG), make_article(2)))
    stopping = FailingEmbedder(after=0, seed=1, max_tokens=96)
    with pytest.raises(StoppedError):
        Pipeline(library, stopping, settings).reindex()
    indexes = open_current(library, settings, fake)
    assert indexes.words.ids() == library.live()
    assert not library.live() <= indexes.vectors.ids()
    indexes.close()
    small = FakeEmbedder(seed=1, max_tokens=96)
    Pipeline(library, small, settings).reindex()
    assert_indexed(library, settings, small)


def test_what_a_crash_after_the_swap_leaves_is_swept_away(
    pipeline: Pipeline, library: Library, monkeypatch: pytest.MonkeyPatch, fake: FakeEmbedder
) -> None:
    pipeline.ingest(imported(make_article(1)))

    def crash(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.drop_indexes", crash)
        with pytest.raises(StoppedError):
            pipeline.reindex()
    assert len(list((library.home / "index").iterdir())) == 2
    pipeline.ingest(imported(make_article(2)))
    assert len(list((library.home / "index").iterdir())) == 1
    assert_indexed(library, pipeline.settings, fake)


@pytest.mark.parametrize("index", ["words", "vectors"])
def test_an_index_that_lost_its_files_neither_answers_nor_grows(
    pipeline: Pipeline, library: Library, fake: FakeEmbedder, index: str
) -> None:
    pipeline.ingest(imported(make_article(1)))
    current = library.current()
    assert current is not None
    shutil.rmtree(folder_of(library.home, current) / index)
    with pytest.raises(SearchIndexError, match="has lost passages") as caught:
        open_current(library, pipeline.settings, fake)
    assert "groundwire doctor --repair" in caught.value.remedy
    with pytest.raises(SearchIndexError):
        pipeline.ingest(imported(make_article(2)))
    assert library.counts().articles == 2, "the article itself is kept"


def test_looking_for_lost_passages_is_quick(pipeline: Pipeline, fake: FakeEmbedder) -> None:
    import time

    from corpus.indexes import check_held

    pipeline.ingest(imported(*map(make_article, range(300))))
    current = pipeline.library.current()
    assert current is not None
    with opened(pipeline.library, pipeline.settings, current) as indexes:
        check_held(pipeline.library, indexes)
        times = []
        for _ in range(10):
            started = time.perf_counter()
            check_held(pipeline.library, indexes)
            times.append(time.perf_counter() - started)
    assert min(times) < 0.02  # about 0.003 on an idle machine


def test_moments_of_fetching_are_kept(pipeline: Pipeline) -> None:
    then = datetime(2025, 9, 1, tzinfo=UTC)
    pipeline.ingest(imported(make_article(1), fetched=then))
    assert [moment for _, moment in pipeline.library.history()] == [then]


def test_an_article_keeps_its_id_through_it_all(pipeline: Pipeline) -> None:
    article: Article = make_article(1)
    pipeline.ingest(imported(article))
    pipeline.reindex()
    assert pipeline.library.article(article.id) == article
