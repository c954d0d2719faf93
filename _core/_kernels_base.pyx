# The kernels compiled for instruction set "base" (flags: setup.py).
include "kernels.pxi"
