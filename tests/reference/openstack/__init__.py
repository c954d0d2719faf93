"""The slow, obvious reference of Placement's and Nova's decisions, written from ../shared/spec/openstack.md.

Plain Python, standard library only; imports nothing of `binwright`. One file for each part of the spec, every function
cites its section. Where the spec lists a confirmed defect of a peer (1.13, 6.4), the repaired rule is implemented.
"""
