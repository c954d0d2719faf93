"""The services that speak HTTP: the extender of kube-scheduler, the external scheduler of Nova, a page about both."""
