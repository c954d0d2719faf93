"""Heat: HOT templates expanded to the servers, groups, volumes and ports that they ask for (openstack spec 12)."""
