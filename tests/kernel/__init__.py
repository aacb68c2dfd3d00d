"""The port to the kernel, on the kernel: most of it in namespaces that each test makes for itself."""
