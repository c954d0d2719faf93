# The kernels compiled for instruction set "sve" (flags: setup.py).
include "kernels.pxi"
