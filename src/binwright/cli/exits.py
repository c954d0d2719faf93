"""The exit codes of every command."""

YES = 0  # the answer is yes, nothing was found, all is clean
NO = 1  # the answer is no, or there are findings
BAD = 2  # bad usage, bad input, or a missing extra
INTERNAL = 3  # a defect of binwright
INTERRUPTED = 130  # Ctrl-C
