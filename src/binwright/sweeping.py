"""Many what-ifs of one thing, over any executor: threads, processes, or whatever has `submit`, Dask's among them.

The thing is pickled once into a file in memory that all processes of this machine map, so there is one copy of its
bytes; workers that cannot see it (other machines) are sent them. Knows nothing of what is swept.
"""

import mmap
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from binwright.errors import InputError

Thing = TypeVar("Thing")
Scenario = TypeVar("Scenario")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
MOST_TRIES = 3


def sweep(
    function: Callable[[Thing, Scenario], Result],
    thing: Thing,
    scenarios: Sequence[Scenario],
    executor: Executor | Callable[[], Executor] | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """`[function(thing, scenario) for scenario in scenarios]`, wherever that runs; results in the scenarios' order.

    Every call gets a copy of `thing` of its own, so that what one scenario does to it is not seen by the next, and
    results are the same whatever the executor. thing must pickle; function, scenarios and results too, unless executor
    is None, which runs here, one after another. executor: a `concurrent.futures.Executor`, or something that makes one,
    which is then closed; Dask's is `client.get_executor()`. progress(done, all) is called here after each.

    A scenario whose worker died is run again, at most twice; where the executor itself is broken (as a pool of
    processes is then), on a new one if `executor` makes one, and otherwise in this process. Raises what a scenario
    raises, for the first that does, in order; an error that does not pickle as a RuntimeError with its words.
    InputError for a thing that does not pickle.
    """
    given = list(scenarios)
    try:
        data = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as problem:
        raise InputError(f"sweep: the thing does not pickle: {problem}") from None
    with _shared(data) as path:
        outcomes = _Run(function, given, path, data, progress).over(executor)
    return [_result(one) for one in outcomes]


@contextmanager
def _shared(data: bytes) -> Iterator[str]:
    """A file that holds the bytes, in memory where the system has a place for such files."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None
    handle, path = tempfile.mkstemp(prefix="binwright-sweep-", dir=memory)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)


class _NotSeen(Exception):
    """A worker cannot see the shared file: it is on another machine."""


@dataclass(frozen=True)
class _Outcome(Generic[Result]):
    result: Result | None = None
    error: BaseException | None = None


def _result(one: "_Outcome[Result]") -> Result:
    if one.error is not None:
        raise one.error
    return one.result  # type: ignore[return-value]


def _work(function: Callable[[Any, Any], Any], scenario: Any, path: str, data: bytes | None = None) -> "_Outcome[Any]":
    """One scenario, in a worker. An error of the scenario is a result; an error of the worker is raised."""
    thing = _loaded(path) if data is None else pickle.loads(data)
    try:
        return _Outcome(function(thing, scenario))
    except Exception as error:
        return _Outcome(error=_portable(error))


def _portable(error: Exception) -> Exception:
    """The error as it is, if it can go from one process to another and back."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _loaded(path: str) -> Any:
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return pickle.loads(view)
    except FileNotFoundError:
        raise _NotSeen(path) from None


class _Run(Generic[Scenario, Result]):
    """The scenarios of one sweep and what has come of them."""

    def __init__(
        self, function: Callable[[Any, Scenario], Result], scenarios: list[Scenario], path: str, data: bytes,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self._function = function
        self._scenarios = scenarios
        self._path = path
        self._data = data
        self._progress = progress
        self._done: dict[int, _Outcome[Result]] = {}
        self._tries = [0] * len(scenarios)
        self._suspects: set[int] = set()  # ran when an executor broke
        self._with_bytes: set[int] = set()

    def over(self, executor: Executor | Callable[[], Executor] | None) -> "list[_Outcome[Result]]":
        """Every outcome, in order."""
        if executor is not None and not isinstance(executor, Executor) and not hasattr(executor, "submit"):
            if not callable(executor):
                raise InputError(f"sweep: executor {executor!r} has no submit and makes no executor")
            while self._left():
                with executor() as made:
                    self._submit_all(made)
        elif executor is not None:
            self._submit_all(executor)
        for number in self._left():
            self._finish(number, _work(self._function, self._scenarios[number], self._path, self._data))
        return [self._done[number] for number in range(len(self._scenarios))]

    def _left(self) -> list[int]:
        return [number for number in range(len(self._scenarios)) if number not in self._done]

    def _submit_all(self, executor: Any) -> None:
        """Run what is left; ends when all is done, or the executor is broken."""
        try:
            self._submit_together(executor, [number for number in self._left() if number not in self._suspects])
            for number in sorted(self._suspects.intersection(self._left())):  # alone: now a dead worker is its doing
                self._submit_together(executor, [number])
        except BrokenExecutor:
            pass

    def _submit_together(self, executor: Any, numbers: list[int]) -> None:
        """Run these scenarios. Raises BrokenExecutor; those that had not ended then are suspects of it."""
        waiting: dict[Future[_Outcome[Result]], int] = {}
        try:
            for number in numbers:
                waiting[self._submit(executor, number)] = number
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in sorted(finished, key=lambda one: waiting[one]):
                    number = waiting[future]
                    done = self._taken(number, future, alone=len(numbers) == 1)
                    del waiting[future]
                    if not done:
                        waiting[self._submit(executor, number)] = number
        except BrokenExecutor:
            self._suspects |= set(numbers) - set(self._done)
            for future in waiting:
                future.cancel()
            raise

    def _submit(self, executor: Any, number: int) -> "Future[_Outcome[Result]]":
        data = self._data if number in self._with_bytes else None
        future: Future[_Outcome[Result]] = executor.submit(
            _work, self._function, self._scenarios[number], self._path, data
        )
        return future

    def _taken(self, number: int, future: "Future[_Outcome[Result]]", alone: bool) -> bool:
        """Whether a scenario is done; False: it has to be run again. alone: no other ran beside it. Raises
        BrokenExecutor.
        """
        try:
            outcome = future.result()
        except BrokenExecutor:
            self._tries[number] += alone
            if self._tries[number] >= MOST_TRIES:  # it may be the scenario that kills its workers
                why = f"sweep: scenario {number} ended its worker {MOST_TRIES} times"
                self._finish(number, _Outcome(error=InputError(why)))
                return True
            raise
        except _NotSeen:
            self._with_bytes.add(number)
            return False
        except CancelledError:
            return False
        except Exception as error:  # Dask's KilledWorker and its like
            self._tries[number] += 1
            if self._tries[number] < MOST_TRIES:
                return False
            outcome = _Outcome(error=error)
        self._finish(number, outcome)
        return True

    def _finish(self, number: int, outcome: "_Outcome[Result]") -> None:
        self._done[number] = outcome
        if self._progress is not None:
            self._progress(len(self._done), len(self._scenarios))
