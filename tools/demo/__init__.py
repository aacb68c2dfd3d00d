"""The demo's parts: what it needs, where it plays, what it proves and how it shows that. See ``tools/demo.py``."""
