"""On PYTHONPATH of Placement's own test run: installs the plug-in before any test, and tells at the end what it did.

PLACEMENT_SEAM is "objects" or "bytes"; PLACEMENT_COUNTS a folder for one JSON file a process.
"""

import atexit
import json
import os
from pathlib import Path

if os.environ.get("PLACEMENT_SEAM"):
    from binwright.openstack import placement_plugin

    placement_plugin.install(json_bytes=os.environ["PLACEMENT_SEAM"] == "bytes")

    def _tell() -> None:
        counts = placement_plugin.statistics()
        if counts:
            path = Path(os.environ["PLACEMENT_COUNTS"]) / f"{os.getpid()}.json"
            path.write_text(json.dumps(counts))

    atexit.register(_tell)
