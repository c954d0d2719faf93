"""The dump layout of one cloud (contracts.md, "What a PATH is"): files of `openstack ... -f json` as a Cloud."""

from binwright.openstack.dumps.read import read_dump

__all__ = ["read_dump"]
