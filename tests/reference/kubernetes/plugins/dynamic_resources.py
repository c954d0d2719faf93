"""DynamicResources (spec 2.1): Skip without claims; pods with claims are refused when they are read (spec 7)."""

from tests.reference.kubernetes.plugins.base import Plugin, Skip


class DynamicResources(Plugin):
    name = "DynamicResources"

    def pre_filter(self, cycle):
        return Skip()
