"""The WSGI application of Placement with the engine's search: for a server, in place of `placement.wsgi.api`."""

from binwright.openstack.placement_plugin import install

install()

from placement.wsgi.api import application  # type: ignore[import-not-found]  # noqa: E402

__all__ = ["application"]
