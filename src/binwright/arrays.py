"""What comes in as arrays: checked once at the door, converted without silent casts, refused with object and field.

Knows numpy and the engine's limits; nothing of fleets or requests.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright._core.fleet import LARGEST_AMOUNT
from binwright._core.hostset import HostSet
from binwright.errors import InputError

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
INT32_MAX = 2**31 - 1
LARGEST_RAW = 2**40


def integers(where: str, values: Any) -> Int64Array:
    """`values` as a contiguous 1-D int64 array; only integers that fit, no floats, no bools, no silent cast."""
    try:
        array = np.asanyarray(values)
    except (ValueError, OverflowError):
        raise InputError(f"{where}: not an array of integers") from None
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise InputError(f"{where}: masked values are not amounts")
    if array.ndim != 1:
        raise InputError(f"{where}: needs one dimension, has {array.ndim}")
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and int(array.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{where}: {int(array.max())} is past int64")
    if array.dtype.kind == "O" and all(type(value) is int for value in values):
        worst = max(values, key=abs)
        raise InputError(f"{where}: {worst} is past int64")
    if array.dtype.kind not in "iu":
        raise InputError(f"{where}: needs integers, has {array.dtype}")
    return np.ascontiguousarray(array, np.int64)


def shaped(where: str, given: Any) -> npt.NDArray[Any]:
    """An array of whatever it holds; lists of different lengths are refused."""
    try:
        return np.asarray(given)
    except ValueError:
        raise InputError(f"{where}: lists of different lengths are no array") from None


def one_or_more(where: str, values: Any) -> Int64Array:
    """`integers` of an array, or of one number."""
    return integers(where, [values] if is_one(values) else values)


def is_one(values: Any) -> bool:
    """Whether this is one value, not an array of them."""
    try:
        return np.ndim(values) == 0
    except ValueError:  # lists of different lengths
        return False


def sequence(values: Any) -> list[Any] | None:
    """The values of anything that has an order and a length (list, tuple, array, Series); None for other things."""
    if isinstance(values, Set | Mapping) or not hasattr(values, "__len__") or not hasattr(values, "__iter__"):
        return None
    return list(values)


def bounded(
    where: str, values: Any, low: int, high: int, names: Sequence[str] | None = None, of: str = "host"
) -> Int64Array:
    """`integers` that all lie in low..high; the first that does not is named with the host, or whatever, it is `of`."""
    array = integers(where, values)
    wrong = (array < low) | (array > high)
    if wrong.any():
        host = int(wrong.argmax())
        label = f" ({names[host]!r})" if names and host < len(names) else ""
        value = int(array[host])
        what = "is negative" if value < 0 <= low else f"is outside {low}..{high}"
        raise InputError(f"{where}, {of} {host}{label}: {value} {what}")
    return array


def amounts(where: str, values: Any, names: Sequence[str] | None = None) -> Int64Array:
    """Amounts of a resource, one a host: int64 in 0..2**56."""
    return bounded(where, values, 0, LARGEST_AMOUNT, names)


def amount(where: str, value: Any) -> int:
    """One amount of a resource: an integer in 0..2**56."""
    number = index(where, value)
    if number < 0:
        raise InputError(f"{where}: {number} is negative")
    if number > LARGEST_AMOUNT:
        raise InputError(f"{where}: {number} is more than 2**56")
    return number


def index(where: str, value: Any) -> int:
    """One integer, as Python or numpy have it; never a float or a bool."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise InputError(f"{where}: {value!r} is not an integer")
    return int(value)


def demands(where: str, given: Mapping[str, Any], resources: Sequence[str]) -> Int64Array:
    """Amounts by resource name as one int64 array (resources,); names that the fleet lacks are refused."""
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: {given!r} is not a mapping from resource to amount")
    known = set(resources)
    for resource in given:
        if resource not in known:
            raise InputError(f"{where}: unknown resource {resource!r} (the fleet has {', '.join(resources)})")
    return np.array([amount(f"{where}: {name!r}", given.get(name, 0)) for name in resources], np.int64)


def same_length(where: str, columns: Mapping[str, Int64Array]) -> int:
    """The common length of the columns of a table; 0 for none."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise InputError(f"{where}: columns differ in length: {text}")
    return next(iter(lengths.values()), 0)


def host_indexes(where: str, values: Any, hosts: int) -> Int64Array:
    """Host indexes, one integer or an array, all inside the fleet."""
    array = one_or_more(where, values)
    wrong = (array < 0) | (array >= hosts)
    if wrong.any():
        raise InputError(f"{where}: no host {int(array[wrong.argmax()])} in a fleet of {hosts}")
    return array


def host_mask(where: str, given: Any, hosts: int) -> BoolArray:
    """Which hosts are meant: a bool array (hosts,), a HostSet, or an array of host indexes."""
    if isinstance(given, HostSet):
        if given.hosts != hosts:
            raise InputError(f"{where}: a HostSet over {given.hosts} hosts for a fleet of {hosts}")
        cells = np.empty(hosts, np.uint8)
        given.fill_mask(cells)
        return cells.astype(bool)
    array = shaped(where, given)
    if array.dtype.kind == "b":
        if array.shape != (hosts,):
            raise InputError(f"{where}: a mask of shape {array.shape} for a fleet of {hosts} hosts")
        return array
    mask = np.zeros(hosts, bool)
    mask[host_indexes(where, given, hosts)] = True
    return mask


def rejections(where: str, given: Any, hosts: int) -> tuple[BoolArray, npt.NDArray[np.int32] | None]:
    """A static rule's column: a bool array (True rejects), or integers: -1 passes, k >= 0 rejects with argument k."""
    array = shaped(where, given)
    if array.shape != (hosts,):
        raise InputError(f"{where}: shape {array.shape} for a fleet of {hosts} hosts")
    if array.dtype.kind == "b":
        return array, None
    arguments = bounded(where, array, -1, INT32_MAX).astype(np.int32)
    return arguments >= 0, arguments


def raw_scores(where: str, given: Any, hosts: int) -> Int64Array:
    """A static score's raw column: integers (hosts,) in 0..2**40."""
    array = bounded(where, given, 0, LARGEST_RAW)
    if len(array) != hosts:
        raise InputError(f"{where}: {len(array)} values for a fleet of {hosts} hosts")
    return array


def floats(where: str, given: Any, hosts: int) -> npt.NDArray[np.float64]:
    """Numbers (hosts,) as float64; integers are taken, NaN and infinities are not."""
    array = shaped(where, given)
    if array.shape != (hosts,) or array.dtype.kind not in "iuf":
        raise InputError(f"{where}: needs {hosts} numbers, one a host; has shape {array.shape} of {array.dtype}")
    array = np.ascontiguousarray(array, np.float64)
    if not np.isfinite(array).all():
        host = int((~np.isfinite(array)).argmax())
        raise InputError(f"{where}, host {host}: {array[host]} is not finite")
    return array


def names_in_order(where: str, names: Any) -> list[Any] | None:
    """Names as a list; a set or a mapping has no order and is refused. None stays None."""
    listed = None if names is None else sequence(names)
    if names is not None and (listed is None or isinstance(names, str)):
        raise InputError(f"{where}: {type(names).__name__} is not a sequence of names")
    return listed


def unique_names(where: str, names: Sequence[Any] | None, hosts: int) -> list[str | None]:
    """Host names: as many as hosts, strings, none twice; None gives hosts without a name."""
    if names is None:
        return [None] * hosts
    listed = list(names)
    if len(listed) != hosts:
        raise InputError(f"{where}: {len(listed)} names for {hosts} hosts")
    seen: set[str] = set()
    for host, name in enumerate(listed):
        if not isinstance(name, str):
            raise InputError(f"{where}: name of host {host} is {name!r}, not a string")
        if name in seen:
            raise InputError(f"{where}: duplicate host name {name!r}")
        seen.add(name)
    return [str(name) for name in listed]
