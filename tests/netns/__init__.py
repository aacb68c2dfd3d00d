"""Network namespaces, packets and probes for tests on the real kernel."""
