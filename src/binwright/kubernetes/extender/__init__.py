"""kube-scheduler's HTTP extender (k8s.io/kube-scheduler/extender/v1): its JSON, and its verbs over a live cluster."""
