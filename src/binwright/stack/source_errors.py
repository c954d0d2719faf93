"""Which source a bad object is of: the layers name object and field, and know no sources."""

from collections.abc import Iterator
from contextlib import contextmanager

from binwright.errors import InputError


@contextmanager
def errors_of(source: str) -> Iterator[None]:
    """Put the source's name before an InputError of this block."""
    try:
        yield
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None
