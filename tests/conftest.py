"""What all tests share: no network, one converted model, one ready home."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article
from corpus.embedding import CompiledEmbedder, Embedder, load_embedder
from corpus.library import Library
from corpus.settings import Settings
from ingest.bundled import bundled_articles
from ingest.files import Imported
from ingest.pipeline import Pipeline
from tests.fakes import FakeEmbedder

LOOPBACK = {"127.0.0.1", "::1", "localhost", "", None, "0.0.0.0", "::"}

MakeArticle = Callable[..., Article]


class NetworkBlockedError(OSError):
    """A test went beyond this machine."""


class _Gate:
    """Whether connections beyond loopback are let through, for as long as the tests run."""

    open = False

    def check(self, host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if not self.open and name not in LOOPBACK and not str(name).startswith("127."):
            raise NetworkBlockedError(
                f"tests reach nothing beyond loopback, and this wanted {name!r}"
            )


GATE = _Gate()


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")  # for child processes, which have no gate
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        resolve = socket.getaddrinfo

        def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
            GATE.check(host)
            return resolve(host, *rest, **options)

        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def _network_by_marker(request: pytest.FixtureRequest) -> Iterator[None]:
    GATE.open = request.node.get_closest_marker("network") is not None
    yield
    GATE.open = False


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            GATE.check(address[0])
        return real(self, address)

    return connect


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A models folder, kept from run to run, in which the built-in embedder is converted."""
    from filelock import FileLock

    default = Path.home() / ".cache" / "groundwire-tests"
    cache = Path(os.environ.get("GROUNDWIRE_TEST_CACHE", default))
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "converting.lock"):
        load_embedder(Settings(home=cache))
    return cache / "models"


@pytest.fixture(scope="session")
def embedder(models_dir: Path) -> Embedder:
    """The built-in embedder itself."""
    loaded = load_embedder(Settings(home=models_dir.parent))
    assert isinstance(loaded, CompiledEmbedder)
    return loaded


@pytest.fixture(scope="session")
def bundled_home(
    tmp_path_factory: pytest.TempPathFactory, models_dir: Path, embedder: Embedder
) -> Path:
    """A home with the bundled corpus, indexed by the real embedder. To be read only."""
    home = tmp_path_factory.mktemp("bundled")
    (home / "models").symlink_to(models_dir)
    library = Library.open(home)
    Pipeline(library, embedder, Settings(home=home)).ingest(bundled_articles())
    library.close()
    return home


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty Library."""
    opened = Library.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def settings(library: Library) -> Settings:
    return Settings(home=library.home)


@pytest.fixture
def fake() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def pipeline(library: Library, fake: FakeEmbedder, settings: Settings) -> Pipeline:
    return Pipeline(library, fake, settings)


def make_article(n: int = 1, text: str | None = None, **fields: Any) -> Article:
    """Article number `n`: every number another address, day and text."""
    given: dict[str, Any] = {
        "title": f"Report {n}",
        "text": text or f"Model number {n} was released. It costs ${n}.50 a million tokens.",
        "url": f"https://example.org/{n}",
        "publisher": ("Alpha", "Beta", "Gamma")[n % 3],
        "published": datetime(2025, 1 + n % 12, 1 + n % 28, tzinfo=UTC),
        "date_found": "import",
    }
    return Article(**{**given, **fields})


def imported(*articles: Article, fetched: datetime | None = None) -> list[Imported]:
    """Articles as an importer would hand them over."""
    return [Imported(f"file:{n}", article, (), fetched) for n, article in enumerate(articles, 1)]
