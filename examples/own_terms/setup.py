import binwright
from Cython.Build import cythonize
from setuptools import Extension, setup

include = [binwright.get_include()]
setup(
    name="heat",
    py_modules=[],
    ext_modules=[
        *cythonize([Extension("heat_cython", ["heat_cython.pyx"], include_dirs=include)]),
        Extension("heat_c", ["heat_c.c"], include_dirs=include),
    ],
)
