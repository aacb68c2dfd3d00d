"""The kinds, each against the kernel: what they pack, what they read, and what they say the kernel does."""
