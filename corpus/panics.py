"""Rust libraries that give up.

tantivy and Chroma are written in Rust. Where one of them meets bytes that it never wrote it may
panic, and pyo3 turns that into an exception which derives from BaseException and which no module
offers by name: so it is known by the name of its type.
"""

from __future__ import annotations


def is_panic(error: BaseException) -> bool:
    """Whether `error` is a panic of a Rust library.

    >>> is_panic(ValueError())
    False
    """
    kind = type(error)
    return (kind.__module__, kind.__name__) == ("pyo3_runtime", "PanicException")
