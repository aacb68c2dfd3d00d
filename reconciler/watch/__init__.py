"""Triggers in, reconcile out: the file, the kernel's events, timers.

Level-triggered: an event wakes the loop and says nothing more; what is done follows from a fresh reading of
the kernel. One thread writes. SIGTERM ends the loop and leaves the state in place.
"""
