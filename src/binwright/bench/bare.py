"""Runs one workload in a bare interpreter: `python -S bare.py CORE NAME LOOPS HOSTS RESOURCES DECISIONS`.

CORE is the folder of binwright._core. The package binwright itself is left empty, so that neither numpy nor the Python
face is loaded and a count of instructions is the engine's. The first run is checked, whatever the number of loops.
"""

import gc
import sys
import types
from pathlib import Path


def main() -> None:
    core, name = Path(sys.argv[1]), sys.argv[2]
    loops, hosts, resources, decisions = map(int, sys.argv[3:])
    package = types.ModuleType("binwright")
    package.__path__ = [str(core.parent), str(Path(__file__).parents[1])]  # two where the install is editable
    sys.modules["binwright"] = package
    from binwright.bench.workloads import make

    unit = make(name, hosts, resources, decisions)
    unit.run()
    unit.check()
    unit.reset()
    assert "numpy" not in sys.modules
    gc.disable()
    for _ in range(loops):
        unit.run()


if __name__ == "__main__":
    main()
