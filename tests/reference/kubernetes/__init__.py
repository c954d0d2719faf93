"""The slow, obvious model of kube-scheduler 1.34's decisions, written from the specification alone: the oracle.

Plain Python over JSON objects; imports nothing of binwright.  Section numbers in the docstrings are those of the
Kubernetes specification.  Where the spec and a reader's intuition differ, the spec is followed.

    cluster.Cluster    add nodes and bound pods, schedule pods one by one
    replay.run_case    replays a recorded case
    scheduler          one pod's cycle: cycle (filter), sampling, scoring, preemption, messages
    plugins/           one file per plugin
"""
