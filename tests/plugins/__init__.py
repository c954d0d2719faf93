"""The plug-ins inside the real OpenStack services; each file skips where its service is not installed."""
