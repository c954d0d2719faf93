"""Two rules of the core that no linter knows: what owns memory, and how a nogil function may fail."""

import re

from tests.house.sources import ROOT, core_files

ALLOCATION = re.compile(
    r"\b(?:m|c|re)alloc\(|\baligned_alloc\(|\bposix_memalign\(|\bPyMem_\w*(?:Malloc|Calloc|Realloc)\("
)
FUNCTION = re.compile(r"^[ \t]*(?:cdef|cpdef)\b[^\n=:]*?\b\w+\((?:[^()]|\([^()]*\))*\)([^\n:]*)", re.MULTILINE)
KINDS = (" noexcept nogil", " except -1 nogil", " except NULL nogil")


def wrong_functions(text: str) -> list[tuple[int, str]]:
    """(line, ending) of nogil functions that are neither a leaf that cannot fail nor a step that can."""
    return [
        (text.count("\n", 0, found.start()) + 1, found[1].strip())
        for found in FUNCTION.finditer(text)
        if "nogil" in found[1] and found[1].rstrip() not in KINDS
    ]


def class_bodies(text: str) -> dict[str, str]:
    """Body of each `cdef class` that has one."""
    parts = re.split(r"^cdef class (\w+)[^\n]*:\n", text, flags=re.MULTILINE)
    bodies = {}
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        end = re.search(r"^\S", rest, re.MULTILINE)
        bodies[name] = rest[: end.start()] if end else rest
    return bodies


def methods(body: str) -> list[str]:
    return re.split(r"^ {4}(?=(?:def|cdef|cpdef|@)\b)", body, flags=re.MULTILINE)


def unowned_fields(text: str) -> list[str]:
    """Fields that get memory from the heap but are not freed by the one __dealloc__ of their class."""
    helpers = {
        m[1]
        for m in re.finditer(r"^cdef \S+\*? ?(\w+)\((?:.|\n)*?(?=^\S|\Z)", text, re.MULTILINE)
        if ALLOCATION.search(m[0])
    }
    problems = []
    for name, body in class_bodies(text).items():
        fields: set[str] = set()
        for method in methods(body):
            local: set[str] = set()
            for target, value in re.findall(r"^\s*(?:cdef [\w ]+\*+ ?)?([\w.\[\]]+) = (.+)$", method, re.MULTILINE):
                calls = set(re.findall(r"(\w+)\(", value))
                if ALLOCATION.search(value) or calls & helpers or local & set(re.findall(r"\w+", value)):
                    if "." in target:
                        fields.add(target.rsplit(".", 1)[1])
                    elif ALLOCATION.search(value) or calls & helpers:
                        local.add(target)
        destructors = [method for method in methods(body) if method.startswith("def __dealloc__")]
        freed = set(re.findall(r"(?:free|PyMem_Free|PyMem_RawFree)\([^)\n]*?(\w+)\)", "".join(destructors)))
        if fields and len(destructors) != 1:
            problems.append(f"{name}: {len(destructors)} __dealloc__ for {sorted(fields)}")
        problems += [f"{name}.{field} is not freed in __dealloc__" for field in sorted(fields - freed)]
    outside = text
    for body in class_bodies(text).values():
        outside = outside.replace(body, "")
    for function in re.split(r"^(?=cdef |def )", outside, flags=re.MULTILINE):
        if ALLOCATION.search(function) and not re.search(r"\breturn\b", function):
            problems.append(f"allocation outside of a class: {function.splitlines()[0]}")
    return problems


def test_two_kinds_of_nogil_function():
    files = core_files(".pyx", ".pxd", ".pxi")
    problems = [
        f"{path.relative_to(ROOT)}:{line}: ends in {ending!r}"
        for path in files
        for line, ending in wrong_functions(path.read_text(encoding="utf-8"))
    ]
    assert not problems, "\n".join(problems)


def test_every_allocation_has_an_owner():
    problems = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in core_files(".pyx", ".pxi")
        for problem in unowned_fields(path.read_text(encoding="utf-8"))
    ]
    assert not problems, "\n".join(problems)


GOOD = """
cdef void leaf(int* a,
               int b) noexcept nogil:
    pass

cdef class Owner:
    def __cinit__(self):
        self.memory = malloc(3)

    cdef int step(self) except -1 nogil:
        cdef int* grown = realloc(self.memory, 9)
        self.memory = grown

    def __dealloc__(self):
        free(self.memory)
"""


def test_the_rules_find_what_they_look_for():
    assert not wrong_functions(GOOD)
    assert not unowned_fields(GOOD)
    assert wrong_functions(GOOD.replace("except -1", "except *")) == [(10, "except * nogil")]
    assert wrong_functions("cdef int f(int a) nogil\n") == [(1, "nogil")]
    assert unowned_fields(GOOD.replace("free(self.memory)", "free(self.other)")) == [
        "Owner.memory is not freed in __dealloc__"
    ]
    assert unowned_fields(GOOD.replace("__dealloc__", "__del__"))
