"""An external term in Python: no host takes more heat than its rack can cool. heat_cython.pyx and heat_c.c are the same.

Every item of a request that has the term draws `watts`; a host whose heat would pass `limit` is rejected, its heat now
being the reason; the score is what would be left of the limit, in thousandths.
"""

import numpy as np

from binwright import External


class Heat(External):
    rule, score = "heat", "cool"

    def __init__(self, limit, watts):
        self.limit, self.watts, self.version = limit, watts, 0
        self.heat = np.zeros(0, np.int64)

    def _of(self, hosts):
        """Heat of the first `hosts` hosts."""
        if len(self.heat) < hosts:
            self.heat = np.append(self.heat, np.zeros(hosts - len(self.heat), np.int64))
        return self.heat[:hosts]

    def rejected(self, fleet, request):
        heat = self._of(len(fleet))
        return np.where(heat + self.watts > self.limit, heat, -1)

    def scores(self, fleet, request):
        return np.maximum(self.limit - self._of(len(fleet)) - self.watts, 0) * 1000 // self.limit

    def placed(self, request, host, sign):
        self._of(host + 1)
        self.heat[host] += sign * self.watts
        self.version += 1

    def fork(self):
        other = Heat(self.limit, self.watts)
        other.heat = self.heat.copy()
        return other


heat = Heat
