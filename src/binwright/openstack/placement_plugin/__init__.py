"""Inside Placement: the search for allocation candidates answered by the engine, on a copy that follows every write.

    from binwright.openstack.placement_plugin import install

    install()                                       # before the application is made
    from placement.wsgi.api import application

`wsgi` beside this file is just that, for a WSGI server. Claims and all other calls stay with the service; what the
engine does not answer, the service's own search does (docs/openstack-plugins.md). Needs openstack-placement.
"""

from __future__ import annotations

from binwright.openstack.placement_plugin import handler, objects
from binwright.openstack.placement_plugin.engine import statistics

__all__ = ["install", "statistics"]


def install(*, json_bytes: bool = True) -> None:
    """Answer this process's searches from now on; before `placement.deploy.loadapp`. A second call changes nothing.

    json_bytes: from microversion 1.34 on write the answer's JSON at once, without the service's objects in between.
    """
    objects.install()
    if json_bytes:
        handler.install()
