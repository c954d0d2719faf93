"""The engine behind GET /allocation_candidates: from microversion 1.34 on the answer's JSON written at once.

Policy, the query's checks and all refusals are the service's own; so is the whole of the call where the engine leaves a
search, or the microversion is older.
"""

from __future__ import annotations

from typing import Any

import webob  # type: ignore[import-untyped]
from oslo_utils import timeutils  # type: ignore[import-not-found]
from placement import handler, lib, microversion, util, wsgi_wrapper  # type: ignore[import-not-found]
from placement.handlers import allocation_candidate as stock  # type: ignore[import-not-found]
from placement.policies import allocation_candidate as policies  # type: ignore[import-not-found]

from binwright.openstack.placement_plugin.engine import Posed, answered
from binwright.openstack.placement_plugin.objects import LEFT

__all__ = ["install"]

ROUTE = "/allocation_candidates"
WRITTEN_SINCE = (1, 34)
"""From here on the answer has had the same shape."""


def install() -> None:
    """Put the handler in the route's place; applications that exist already keep theirs."""
    handler.ROUTE_DECLARATIONS[ROUTE]["GET"] = wsgi_wrapper.PlacementWsgify(list_allocation_candidates)


@util.check_accept("application/json")  # type: ignore[untyped-decorator]
def list_allocation_candidates(req: Any) -> Any:
    """The response to one GET."""
    wanted = req.environ[microversion.MICROVERSION_ENVIRON]
    if not wanted.matches(WRITTEN_SINCE):
        return stock.list_allocation_candidates.func(req)
    context = req.environ["placement.context"]
    context.can(policies.LIST)
    util.validate_query_params(req, stock._get_schema(wanted))
    wide = lib.RequestWideParams.from_request(req)
    groups = lib.RequestGroup.dict_from_request(req, wide)
    if not wide.group_policy and sum(1 for one in groups.values() if one.use_same_provider) > 1:
        raise webob.exc.HTTPBadRequest(
            'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.'
        )
    body = answered(context, groups, wide, True, Posed.body)
    if body is None:
        setattr(context, LEFT, True)
        return stock.list_allocation_candidates.func(req)
    response = req.response
    response.body = body
    response.content_type = "application/json"
    response.cache_control = "no-cache"
    response.last_modified = timeutils.utcnow(with_timezone=True)
    return response
