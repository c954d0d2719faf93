"""One writer at a time: a method that changes a fleet in several steps keeps other threads out until it is done."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from binwright._core.state import OutOfOrder, State
from binwright.errors import StateError

Given = ParamSpec("Given")
Gives = TypeVar("Gives")


class _HasState(Protocol):
    @property
    def _state(self) -> State: ...


Of = TypeVar("Of", bound=_HasState)


def one_writer(method: Callable[Concatenate[Of, Given], Gives]) -> Callable[Concatenate[Of, Given], Gives]:
    """The method, refused with StateError while a batch runs or another thread is in the middle of a change."""

    @functools.wraps(method)
    def alone(self: Any, *given: Given.args, **named: Given.kwargs) -> Gives:
        state: State = self._state
        try:
            state.begin()
        except OutOfOrder as error:
            raise StateError(str(error)) from None
        try:
            return method(self, *given, **named)
        finally:
            state.end()

    return cast(Callable[Concatenate[Of, Given], Gives], alone)
