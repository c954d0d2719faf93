# The kernels compiled for instruction set "v3" (flags: setup.py).
include "kernels.pxi"
