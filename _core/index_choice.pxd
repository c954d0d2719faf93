# A decision by index: the leaves' best hosts compared under the class's terms.

from binwright._core.index cimport IndexView
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Choice, Scan


cdef int choose_leaf(IndexView* index, Scan scan, const ClassView* request, Choice* choice) except -1 nogil
