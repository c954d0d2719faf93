"""Amounts, counts and names as people read them. Knows the units of resource names, never an object or a result."""

CORES = "cpu"  # thousandths of a core
BYTES = {"memory", "ephemeral-storage", "storage"}
MEBIBYTES = {"MEMORY_MB"}
GIBIBYTES = {"DISK_GB"}  # Nova's GB are 2**30 bytes
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def amount(resource: str, value: int) -> str:
    """`value` of `resource`, in base units, with a unit that keeps it short: "1.5 cores", "384 GiB", "1,200"."""
    if resource == CORES:
        return f"{short(value / 1000)} {'core' if value == 1000 else 'cores'}"
    if resource in BYTES or resource.startswith("hugepages-"):
        return size(value)
    if resource in MEBIBYTES:
        return size(value << 20)
    if resource in GIBIBYTES:
        return size(value << 30)
    return f"{value:,}"


def size(value: int) -> str:
    """Bytes with a binary unit: 0 B, 512 MiB, 1.5 GiB, -2 GiB."""
    number, unit = float(value), 0
    while abs(number) >= 1024 and unit < len(UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{short(number)} {UNITS[unit]}"


def short(number: float) -> str:
    """Three digits or so: 0.25, 1.5, 96, 1,200."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.{1 if abs(number) >= 1 else 3}f}".rstrip("0").rstrip(".")


def share(part: int, whole: int) -> str:
    """`part` as a rounded-down percentage of `whole`, which may be zero."""
    return f"{part * 100 // whole} %" if whole else "-"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 host, 2 hosts, 0 hosts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(names: list[str], shown: int) -> str:
    """The first `shown` names and how many there are beyond them."""
    head = ", ".join(names[:shown])
    return f"{head} and {len(names) - shown} more" if len(names) > shown else head


def printable(text: str) -> str:
    """`text` with its control characters escaped, so that a name from a file cannot steer the terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
