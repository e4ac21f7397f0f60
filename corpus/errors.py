"""The tree of everything that Groundwire tells a user has gone wrong.

Every message is one sentence that says what is wrong, and `remedy`, where there is one, says what
to do next. Errors of libraries are translated where they arise, with `raise … from`; whatever is
not one of these is a defect of ours and keeps its traceback.

    GroundwireError
    ├── UsageError            the question or an option can't be used as given
    ├── InputError            a file or line that can't become an article
    ├── HomeError             the data folder can't be used
    │   ├── SchemaError       ... because another version of Groundwire wrote it
    │   ├── BusyError         ... because another process is writing to it
    │   └── EmptyLibraryError ...  because it holds no article yet
    ├── SearchIndexError      an index is missing, damaged or of another embedder
    │   └── EmbedderChangedError
    └── ModelError            a model is missing, damaged or can't be loaded
"""


class GroundwireError(Exception):
    """Root of the tree. `str(error)` is the message followed by the remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(GroundwireError):
    """The question or an option can't be used as given."""


class InputError(GroundwireError):
    """A file, or a line of one, that can't become an article."""


class HomeError(GroundwireError):
    """The data folder can't be used."""


class SchemaError(HomeError):
    """The data folder was written by another version of Groundwire."""


class BusyError(HomeError):
    """Another process is writing to the data folder."""


class EmptyLibraryError(HomeError):
    """The Library holds no article yet."""


class SearchIndexError(GroundwireError):
    """An index is missing or damaged. The Library is whole: the index can be rebuilt from it."""


class EmbedderChangedError(SearchIndexError):
    """The vectors were made by another embedder than the one asked to search them."""


class ModelError(GroundwireError):
    """A model is missing, damaged or can't be loaded."""
