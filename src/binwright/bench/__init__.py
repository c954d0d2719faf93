"""Speed, watched: the workloads that ship, their times and instruction counts. `python -m binwright.bench`.

Workloads touch the standard library and the core alone, so that callgrind counts the engine; nothing is imported here.
"""
