"""Cinder: pools, the scheduler's filters and weighers, and placing volumes on the engine (openstack spec 8)."""
