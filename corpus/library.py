"""The Library: articles, their revisions, their passages, and what is indexed. SQLite through
SQLAlchemy Core; the one source of truth, from which both indexes can be made again.

    articles      one row an article, with its current revision
    revisions     every text an article has had; a citation opens the one it quoted
    passages      spans of revisions; `retired` once their revision is no longer current
    generations   an index in the making, or the one in use, and the embedder that made it
    indexed       which passage stands in which index of which generation

`indexed` is written after the index itself. A process killed between the two does that bit of work
again, and since all ids come from content, again is the same as once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, OperationalError

from corpus.article import Article, Passage, epoch, short_hash
from corpus.errors import BusyError, HomeError, SchemaError

SCHEMA_VERSION = 1
DATABASE = "library.db"

IndexName = Literal["words", "vectors"]
INDEXES: tuple[IndexName, ...] = ("words", "vectors")
Change = Literal["new", "revised", "updated", "unchanged"]

metadata = sa.MetaData()
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
articles = sa.Table(
    "articles",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("publisher", sa.Text, index=True),
    sa.Column("author", sa.Text),
    sa.Column("published", sa.Integer, index=True),
    sa.Column("updated", sa.Integer),
    sa.Column("fetched", sa.Integer, nullable=False),
    sa.Column("date_found", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("provenance", sa.Text),
    sa.Column("topics", sa.JSON, nullable=False),
    sa.Column("licence", sa.Text),
)
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("article_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("stored", sa.Integer, nullable=False),
)
passages = sa.Table(
    "passages",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text, nullable=False, index=True),
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("retired", sa.Boolean, nullable=False),
)
# Of the retired alone: an index over all would be taken for a good filter, and cost 40 ms in
# 100,000 passages where the lookup by id takes 1.
sa.Index("passages_retired", passages.c.id, sqlite_where=passages.c.retired.is_(True))
generations = sa.Table(
    "generations",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("embedder", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
)
indexed = sa.Table(
    "indexed",
    metadata,
    sa.Column("generation", sa.Text, primary_key=True),
    sa.Column("index", sa.Text, primary_key=True),
    sa.Column("passage_id", sa.Text, primary_key=True),
)

# The columns of an article that its passages' header or the indexes' filters are made of.
HEADER = ("title", "publisher", "published")
# SQLite takes 32,766 variables a statement; far below that.
SLICE = 5_000
DAY_SECONDS = 24 * 60 * 60
BUSY_SECONDS = 30.0  # how long a write waits for another to end; one takes milliseconds


@dataclass(frozen=True, slots=True)
class Generation:
    """An index pair and the embedder that made its vectors."""

    name: str
    embedder: str
    fingerprint: str
    current: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Which articles may answer: days (both inclusive) and publishers; empty means all.

    An undated article is in no window: nobody knows that it belongs there.
    """

    since: date | None = None
    until: date | None = None
    publishers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.publishers)

    @property
    def first(self) -> int | None:
        """Epoch seconds of the first moment in the window."""
        return epoch(_midnight(self.since)) if self.since else None

    @property
    def last(self) -> int | None:
        """Epoch seconds of the last moment in the window."""
        return int(_midnight(self.until).timestamp()) + DAY_SECONDS - 1 if self.until else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, and how much of it is indexed in the current generation."""

    articles: int
    revisions: int
    passages: int
    words: int
    vectors: int
    oldest: str | None
    newest: str | None


class Library:
    """The store. Every method is one transaction."""

    def __init__(self, engine: sa.Engine, home: Path) -> None:
        self.engine = engine
        self.home = home

    @classmethod
    def open(cls, home: Path) -> Library:
        """Open the Library in `home`, making an empty one where there is none.

        Raises HomeError when the folder can't be written to or holds a damaged database, and
        SchemaError when another version of Groundwire wrote it.
        """
        with _translated(home):
            _make_folder(home)
            address = sa.URL.create("sqlite", database=str(home / DATABASE))
            engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS})
            sa.event.listen(engine, "connect", _configure)
            with engine.begin() as db:
                _check_schema(db, home)
        return cls(engine, home)

    def close(self) -> None:
        """Let go of the database file."""
        self.engine.dispose()

    @property
    def id(self) -> str:
        """A name that tells this Library from others on a shared Chroma server."""
        with self._read() as db:
            return db.scalar(sa.select(meta.c.value).where(meta.c.key == "library")) or ""

    # Articles

    def put(self, article: Article, spans: Iterable[Passage], fetched: datetime) -> Change:
        """Store `article` with its passages; storing the same again changes nothing.

        A text that the article had before counts as unchanged too: what is read a second time
        must not undo what was read after it.
        """
        with self._write() as db:
            row = db.execute(sa.select(articles).where(articles.c.id == article.id)).first()
            values = _row(article)
            if row is not None:
                known = row._asdict()
                same = all(known[name] == value for name, value in values.items())
                if same or (row.revision != article.revision and _has_revision(db, article)):
                    return "unchanged"
            if row is not None and row.revision == article.revision:
                _upsert(db, articles, [{**values, "fetched": row.fetched}])
                if any(row._asdict()[name] != values[name] for name in HEADER):
                    _forget_indexed(db, article.id)
                return "updated"
            _upsert(db, articles, [{**values, "fetched": epoch(fetched)}])
            _put_revision(db, article, int(fetched.timestamp()))
            _put_passages(db, article.id, spans)
            return "new" if row is None else "revised"

    def recut(self, article_id: str, spans: Sequence[Passage]) -> None:
        """Give the article's current revision other passages; the same ones change nothing."""
        with self._write() as db:
            _put_passages(db, article_id, spans)

    def article(self, article_id: str, revision: str | None = None) -> Article | None:
        """The article in `revision` (the current one where none is given), or None."""
        join = articles.join(revisions, revisions.c.article_id == articles.c.id)
        wanted = articles.c.revision if revision is None else revision
        query = sa.select(articles, revisions.c.text).select_from(join)
        query = query.where(articles.c.id == article_id, revisions.c.revision == wanted)
        with self._read() as db:
            row = db.execute(query).first()
        return _article(row) if row is not None else None

    def articles(self) -> Iterator[Article]:
        """All articles in their current revision, in order of id."""
        join = articles.join(
            revisions,
            (revisions.c.article_id == articles.c.id)
            & (revisions.c.revision == articles.c.revision),
        )
        query = sa.select(articles, revisions.c.text).select_from(join).order_by(articles.c.id)
        with self._read() as db:
            for row in db.execute(query.execution_options(yield_per=500)):
                yield _article(row)

    def history(self) -> Iterator[tuple[Article, datetime]]:
        """Every revision of every article with the moment it was stored, the current one last.

        Fields other than the text are those of the current revision.
        """
        join = articles.join(revisions, revisions.c.article_id == articles.c.id)
        is_current = articles.c.revision == revisions.c.revision
        query = sa.select(articles, revisions.c.text, revisions.c.stored).select_from(join)
        query = query.order_by(articles.c.id, is_current, revisions.c.stored)
        with self._read() as db:
            for row in db.execute(query.execution_options(yield_per=500)):
                yield _article(row), datetime.fromtimestamp(row.stored, UTC)

    def publishers(self) -> list[str]:
        """The publishers of the Library, in alphabetical order."""
        query = sa.select(articles.c.publisher).where(articles.c.publisher.is_not(None)).distinct()
        with self._read() as db:
            return sorted(db.scalars(query))

    # Passages

    def passages(self, ids: Sequence[str]) -> list[tuple[Passage, Article]]:
        """Passages with their articles, in the order of `ids`; unknown ids are left out."""
        query = (
            sa.select(passages.c.id.label("passage_id"), passages.c.start, passages.c.end)
            .add_columns(*articles.c, revisions.c.text)
            .add_columns(passages.c.revision.label("passage_revision"))
            .join(articles, articles.c.id == passages.c.article_id)
            .join(
                revisions,
                (revisions.c.article_id == passages.c.article_id)
                & (revisions.c.revision == passages.c.revision),
            )
        )
        found: dict[str, tuple[Passage, Article]] = {}
        with self._read() as db:
            for some in _slices(ids):
                for row in db.execute(query.where(passages.c.id.in_(some))):
                    text = row.text[row.start : row.end]
                    span = Passage(row.id, row.passage_revision, row.start, row.end, text)
                    found[row.passage_id] = (span, _article(row))
        return [found[id_] for id_ in ids if id_ in found]

    def in_scope(self, ids: Sequence[str], scope: Scope) -> set[str]:
        """Those of `ids` that are current and whose article lies in `scope`."""
        query = _scoped(sa.select(passages.c.id), scope)
        with self._read() as db:
            return {
                id_
                for some in _slices(ids)
                for id_ in db.scalars(query.where(passages.c.id.in_(some)))
            }

    def ids_in_scope(self, scope: Scope) -> list[str]:
        """Ids of the current passages whose article lies in `scope`."""
        with self._read() as db:
            return list(db.scalars(_scoped(sa.select(passages.c.id), scope)))

    def newest(self) -> str | None:
        """The day of the newest article, in ISO form."""
        with self._read() as db:
            return _day(db.scalar(sa.select(sa.func.max(articles.c.published))))

    def stamp(self) -> object:
        """Something that changes whenever any process writes to the Library."""
        files = (self.home / DATABASE, self.home / f"{DATABASE}-wal")
        stats = [path.stat() for path in files if path.exists()]
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)

    # What is indexed

    def current(self) -> Generation | None:
        """The generation that answers questions, or None before the first ingest."""
        return self._generation(generations.c.current.is_(True))

    def building(self) -> Generation | None:
        """A generation in the making, left by a `reindex` that did not end."""
        return self._generation(generations.c.current.is_(False))

    def start_generation(self, embedder: str, fingerprint: str, *, current: bool) -> Generation:
        """Open a new generation. Names count up, so that none is used twice."""
        with self._write() as db:
            last = db.scalar(sa.select(meta.c.value).where(meta.c.key == "generations")) or "0"
            name = str(int(last) + 1)
            _upsert(db, meta, [{"key": "generations", "value": name}])
            values = {"name": name, "embedder": embedder, "fingerprint": fingerprint}
            db.execute(generations.insert().values(**values, current=current))
        return Generation(name, embedder, fingerprint, current)

    def swap_generation(self, name: str) -> None:
        """Make `name` the current generation and forget all others, in one step."""
        with self._write() as db:
            db.execute(generations.delete().where(generations.c.name != name))
            db.execute(indexed.delete().where(indexed.c.generation != name))
            db.execute(generations.update().values(current=True))
            db.execute(_forget_retired())

    def drop_generation(self, name: str) -> None:
        """Forget a generation."""
        with self._write() as db:
            db.execute(generations.delete().where(generations.c.name == name))
            db.execute(indexed.delete().where(indexed.c.generation == name))
            db.execute(_forget_retired())

    def pending(self, generation: str, index: IndexName, limit: int | None = None) -> list[str]:
        """Ids of current passages that `index` lacks, newest article first, undated last."""
        query = (
            sa.select(passages.c.id)
            .join(articles, articles.c.id == passages.c.article_id)
            .where(passages.c.retired.is_(False), ~_is_indexed(generation, index))
            .order_by(articles.c.published.desc().nulls_last(), articles.c.id, passages.c.start)
            .limit(limit)
        )
        with self._read() as db:
            return list(db.scalars(query))

    def stale(self, generation: str, index: IndexName) -> list[str]:
        """Ids that stand in `index` and should not: their passage is retired or gone."""
        query = (
            sa.select(indexed.c.passage_id)
            .outerjoin(passages, passages.c.id == indexed.c.passage_id)
            .where(indexed.c.generation == generation, indexed.c.index == index)
            .where(sa.or_(passages.c.id.is_(None), passages.c.retired.is_(True)))
        )
        with self._read() as db:
            return list(db.scalars(query))

    def indexed(self, generation: str, index: IndexName) -> set[str]:
        """Ids that the Library believes to stand in `index`."""
        query = sa.select(indexed.c.passage_id)
        query = query.where(indexed.c.generation == generation, indexed.c.index == index)
        with self._read() as db:
            return set(db.scalars(query))

    def live(self) -> set[str]:
        """Ids of all current passages: what both indexes ought to hold."""
        with self._read() as db:
            return set(db.scalars(sa.select(passages.c.id).where(passages.c.retired.is_(False))))

    def sample(self, generation: str, index: IndexName, size: int) -> list[str]:
        """Up to `size` ids of current passages that the Library believes to stand in `index`."""
        query = (
            sa.select(indexed.c.passage_id)
            .join(passages, passages.c.id == indexed.c.passage_id)
            .where(indexed.c.generation == generation, indexed.c.index == index)
            .where(passages.c.retired.is_(False))
            .limit(size)
        )
        with self._read() as db:
            return list(db.scalars(query))

    def mark(self, generation: str, index: IndexName, ids: Iterable[str]) -> None:
        """Note that `ids` stand in `index`."""
        rows = [{"generation": generation, "index": index, "passage_id": id_} for id_ in ids]
        if rows:
            with self._write() as db:
                db.execute(insert(indexed).on_conflict_do_nothing(), rows)

    def unmark(self, generation: str, index: IndexName, ids: Collection[str] | None = None) -> None:
        """Note that `ids` (all, where none are given) no longer stand in `index`."""
        condition = (indexed.c.generation == generation) & (indexed.c.index == index)
        with self._write() as db:
            if ids is None:
                db.execute(indexed.delete().where(condition))
            for some in _slices(list(ids or ())):
                db.execute(indexed.delete().where(condition, indexed.c.passage_id.in_(some)))
            db.execute(_forget_retired())

    def counts(self) -> Counts:
        """How much there is."""
        generation = self.current()
        name = generation.name if generation else ""
        with self._read() as db:
            in_index = {
                index: db.scalar(
                    sa.select(sa.func.count()).where(
                        indexed.c.generation == name, indexed.c.index == index
                    )
                )
                or 0
                for index in INDEXES
            }
            total = db.scalar(sa.select(sa.func.count()).select_from(articles)) or 0
            stored = db.scalar(sa.select(sa.func.count()).select_from(revisions)) or 0
            live = sa.select(sa.func.count()).where(passages.c.retired.is_(False))
            spans = db.scalar(live) or 0
            oldest, newest = db.execute(
                sa.select(sa.func.min(articles.c.published), sa.func.max(articles.c.published))
            ).one()
        return Counts(
            articles=total,
            revisions=stored,
            passages=spans,
            words=in_index["words"],
            vectors=in_index["vectors"],
            oldest=_day(oldest),
            newest=_day(newest),
        )

    # Is it sound?

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file itself; empty where all is well."""
        with self._read() as db:
            found = list(db.scalars(sa.text("PRAGMA integrity_check")))
        return [problem for problem in found if problem != "ok"]

    def spoilt_texts(self) -> list[str]:
        """Ids of articles of which a text is lost, empty, or no longer the one that was stored."""
        join = articles.outerjoin(revisions, revisions.c.article_id == articles.c.id)
        query = sa.select(articles.c.id, revisions.c.revision, revisions.c.text).select_from(join)
        spoilt: list[str] = []
        with self._read() as db:
            for id_, revision, text in db.execute(query.execution_options(yield_per=500)):
                if text is None or not text.strip() or short_hash(text) != revision:
                    spoilt.append(id_)
            current = sa.exists().where(
                revisions.c.article_id == articles.c.id, revisions.c.revision == articles.c.revision
            )
            spoilt.extend(db.scalars(sa.select(articles.c.id).where(~current)))
        return sorted(set(spoilt))

    def badly_cut(self) -> list[str]:
        """Ids of articles without a current passage, or with one outside its text."""
        alive = sa.exists().where(
            passages.c.article_id == articles.c.id,
            passages.c.revision == articles.c.revision,
            passages.c.retired.is_(False),
        )
        here = (passages.c.article_id == revisions.c.article_id) & (
            passages.c.revision == revisions.c.revision
        )
        length = sa.func.length(revisions.c.text)
        outside = (
            sa.select(passages.c.article_id)
            .outerjoin(revisions, here)
            .where(
                sa.or_(
                    revisions.c.text.is_(None),
                    passages.c.start < 0,
                    passages.c.start >= passages.c.end,
                    passages.c.end > length,
                )
            )
        )
        with self._read() as db:
            return sorted(
                {*db.scalars(sa.select(articles.c.id).where(~alive)), *db.scalars(outside)}
            )

    def _generation(self, condition: sa.ColumnElement[bool]) -> Generation | None:
        with self._read() as db:
            row = db.execute(sa.select(generations).where(condition)).first()
        return Generation(**row._asdict()) if row is not None else None

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with _translated(self.home), self.engine.connect() as db:
            yield db

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with _translated(self.home), self.engine.begin() as db:
            yield db


def _configure(connection: Any, _: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")  # safe with WAL against a killed process


def _make_folder(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(home, error.strerror or str(error)) from error


def _check_schema(db: sa.Connection, home: Path) -> None:
    if not sa.inspect(db).get_table_names():
        # Two processes may both find it empty: the second waits here, and then finds the tables.
        db.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(db)
        values = {"schema": str(SCHEMA_VERSION), "library": uuid.uuid4().hex[:12]}
        rows = [{"key": k, "value": v} for k, v in values.items()]
        db.execute(insert(meta).on_conflict_do_nothing(), rows)
    known = sa.inspect(db).get_table_names()
    found = "?"
    if "meta" in known:
        found = db.scalar(sa.select(meta.c.value).where(meta.c.key == "schema")) or "?"
    if found != str(SCHEMA_VERSION):
        newer = found.isdigit() and int(found) > SCHEMA_VERSION
        raise SchemaError(
            f"The library in {home} has schema {found}; this version of Groundwire knows "
            f"schema {SCHEMA_VERSION}.",
            "Upgrade Groundwire, or give another folder with --home."
            if newer
            else "Give another folder with --home.",
        )


@contextmanager
def _translated(home: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig):
            raise BusyError(
                f"Another process is writing to the library in {home}.",
                "Try again when it is done.",
            ) from error
        raise _unusable(home, str(error.orig)) from error
    except DatabaseError as error:
        raise HomeError(
            f"The library {home / DATABASE} is damaged: {error.orig}.",
            "Restore it from a copy, or give another folder with --home.",
        ) from error


def _unusable(home: Path, reason: str) -> HomeError:
    return HomeError(
        f"The data folder {home} can't be used: {reason[:1].lower()}{reason[1:]}.",
        "Give a folder of your own with --home or GROUNDWIRE_HOME.",
    )


def _upsert(db: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _has_revision(db: sa.Connection, article: Article) -> bool:
    query = sa.select(revisions.c.revision).where(
        revisions.c.article_id == article.id, revisions.c.revision == article.revision
    )
    return db.execute(query).first() is not None


def _put_revision(db: sa.Connection, article: Article, stored: int) -> None:
    row = {"article_id": article.id, "revision": article.revision, "text": article.text}
    db.execute(insert(revisions).on_conflict_do_nothing(), {**row, "stored": stored})


def _put_passages(db: sa.Connection, article_id: str, spans: Iterable[Passage]) -> None:
    """Make `spans` the passages of the article, and retire all others that it has."""
    retire = passages.update().where(passages.c.article_id == article_id)
    db.execute(retire.values(retired=True))
    rows = [
        {
            "id": span.id,
            "article_id": span.article_id,
            "revision": span.revision,
            "start": span.start,
            "end": span.end,
            "retired": False,
        }
        for span in spans
    ]
    if rows:
        _upsert(db, passages, rows)
    db.execute(_forget_retired().where(passages.c.article_id == article_id))


def _forget_retired() -> sa.Delete:
    """Delete retired passages that no index holds (any longer): nothing refers to them."""
    held = sa.exists().where(indexed.c.passage_id == passages.c.id)
    return passages.delete().where(passages.c.retired.is_(True), ~held)


def _forget_indexed(db: sa.Connection, article_id: str) -> None:
    of_article = sa.select(passages.c.id).where(passages.c.article_id == article_id)
    db.execute(indexed.delete().where(indexed.c.passage_id.in_(of_article)))


def _is_indexed(generation: str, index: IndexName) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        indexed.c.generation == generation,
        indexed.c.index == index,
        indexed.c.passage_id == passages.c.id,
    )


def _scoped(query: sa.Select[Any], scope: Scope) -> sa.Select[Any]:
    query = query.select_from(
        passages.join(articles, articles.c.id == passages.c.article_id)
    ).where(passages.c.retired.is_(False))
    if scope.first is not None:
        query = query.where(articles.c.published >= scope.first)
    if scope.last is not None:
        query = query.where(articles.c.published <= scope.last)
    if scope.publishers:
        query = query.where(articles.c.publisher.in_(scope.publishers))
    return query


def _row(article: Article) -> dict[str, Any]:
    return {
        "id": article.id,
        "revision": article.revision,
        "title": article.title,
        "url": article.url,
        "publisher": article.publisher,
        "author": article.author,
        "published": epoch(article.published),
        "updated": epoch(article.updated),
        "date_found": article.date_found,
        "kind": article.kind,
        "provenance": article.provenance,
        "topics": list(article.topics),
        "licence": article.licence,
    }


def _article(row: Any) -> Article:
    return Article(
        title=row.title,
        text=row.text,
        url=row.url,
        publisher=row.publisher,
        author=row.author,
        published=_moment(row.published),
        updated=_moment(row.updated),
        date_found=row.date_found,
        kind=row.kind,
        provenance=row.provenance,
        topics=tuple(row.topics),
        licence=row.licence,
    )


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), SLICE):
        yield ids[at : at + SLICE]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _day(seconds: int | None) -> str | None:
    moment = _moment(seconds)
    return moment.date().isoformat() if moment else None


def now() -> datetime:
    """This moment in UTC, to the second."""
    return datetime.fromtimestamp(int(time.time()), UTC)
