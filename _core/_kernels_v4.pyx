# The kernels compiled for instruction set "v4" (flags: setup.py).
include "kernels.pxi"
