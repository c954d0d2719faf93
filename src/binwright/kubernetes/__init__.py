"""Kubernetes: clusters as objects, kube-scheduler's rules over them, compiled to the engine's hosts and requests."""
