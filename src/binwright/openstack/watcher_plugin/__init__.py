"""Inside Watcher: a strategy of goal server_consolidation whose action plan empties as many hosts as the engine finds.

Loaded by its entry point, group watcher_strategies, name binwright_consolidation (docs/openstack-plugins.md). Needs
python-watcher, in whose decision engine it runs.
"""

from binwright.openstack.watcher_plugin.strategy import BinwrightConsolidation

__all__ = ["BinwrightConsolidation"]
