"""Embedders: consumers of the C and Cython interfaces, built against the installed wheel and run."""
