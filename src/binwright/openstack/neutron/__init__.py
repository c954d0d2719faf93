"""Neutron: what ports with guaranteed bandwidth or packets ask of Placement, and who provides it (openstack spec 9)."""
