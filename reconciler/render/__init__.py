"""PURE: plans and states as text for people and programs. Nothing here prints, and nothing reads the kernel."""
