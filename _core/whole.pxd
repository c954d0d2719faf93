# What a pickle says of rows, and of the groups that are asked of them, is checked as a whole before anybody follows it.

from binwright._core.devices cimport Forest
from binwright._core.items cimport Items
from binwright._core.request cimport Classes

cdef int check_forest(Forest forest, Items items) except -1
cdef int check_groups(Forest forest, Classes classes) except -1
