"""The shell script of plain `openstack` commands that writes the layout, for where binwright cannot be installed.

Its files are those of `binwright openstack dump` as far as the client's lists tell them: ports and the free capacity of
volume pools they do not.
"""

from binwright.openstack.dumps.layout import PER_PROVIDER

__all__ = ["SCRIPT"]

SCRIPT = f"""\
#!/bin/sh
# Writes what binwright reads of one OpenStack cloud to a directory, with plain `openstack` commands; changes nothing.
#     OS_CLOUD=mine sh dump.sh clouds/mine
# Needs python-openstackclient and osc-placement, and a user who may read all projects. PARALLEL: commands at a time.
set -eu
dir=${{1:?usage: $0 DIR}}
mkdir -p {" ".join(f'"$dir/{kind}"' for kind in PER_PROVIDER)}
cd "$dir"

save() {{ file=$1; shift; openstack "$@" -f json > "$file.part" && mv "$file.part" "$file"; }}
maybe() {{ save "$@" 2> /dev/null || {{ rm -f "$1.part"; echo "$1: left out" >&2; }}; }}

export OS_COMPUTE_API_VERSION=2.53  # the last that tells what hypervisors have
save servers.json server list --all-projects --long
save flavors.json flavor list --all --long
save hypervisors.json hypervisor list --long
save services.json compute service list
groups='server group list --all-projects --long'
save server_groups.json --os-compute-api-version 2.64 $groups 2> /dev/null || save server_groups.json $groups
{{
    printf '['
    comma=
    for id in $(openstack aggregate list -f value -c ID); do
        printf '%s' "$comma"
        openstack aggregate show "$id" -f json
        comma=,
    done
    printf ']\\n'
}} > aggregates.json

maybe volumes.json volume list --all-projects --long
maybe volume_types.json volume type list --long
maybe volume_services.json volume service list
maybe networks.json network list --long
for service in compute network volume; do maybe "${{service}}_quotas.json" quota list "--$service"; done
maybe baremetal_nodes.json baremetal node list --long

export OS_PLACEMENT_API_VERSION=1.14
save providers.json resource provider list
openstack resource provider list -f value -c uuid | xargs -P "${{PARALLEL:-4}}" -n 1 sh -euc '
    [ $# = 1 ] || exit 0
    openstack resource provider inventory list "$1" -f json > "inventories/$1.json"
    openstack resource provider trait list "$1" -f json > "traits/$1.json"
    openstack resource provider aggregate list "$1" -f json > "provider_aggregates/$1.json"
    openstack resource provider show --allocations "$1" -f json -c allocations > "allocations/$1.json"
' sh
"""
"""As text; `sh`, without anything of bash."""
