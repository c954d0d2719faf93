"""OpenStack: clouds, flavors, Placement and Nova in the services' own words, compiled to the engine."""
