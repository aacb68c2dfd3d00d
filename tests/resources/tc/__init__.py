"""Queueing disciplines, classes and filters."""
