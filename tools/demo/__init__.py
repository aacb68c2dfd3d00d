"""The demo's parts: what it needs, where it plays, what it proves, how it shows that."""
