import binwright
from Cython.Build import cythonize
from setuptools import Extension, setup

setup(
    name="scheduler",
    ext_modules=cythonize([Extension("scheduler", ["scheduler.pyx"], include_dirs=[binwright.get_include()])]),
)
