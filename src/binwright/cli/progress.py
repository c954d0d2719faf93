"""A progress bar on a terminal's standard error, for verbs that read or ask for a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from binwright.cli.words import printable

Progress = Callable[[str, int, int], None]


@contextmanager
def progress_bar(quiet: bool, doing: str = "reading") -> Iterator[Progress | None]:
    """Gives progress(what, done, total), only when standard error is a terminal; None otherwise. `doing` stands there
    until the first call.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(printable(what)), completed=done, total=total)

        yield progress
