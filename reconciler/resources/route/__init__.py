"""Routes (``ip route``): what one is, how the file says it, how it goes to the kernel and comes back."""

from reconciler.resources.route.value import LEAST_MTU_6, Hop, Route

__all__ = ["LEAST_MTU_6", "Hop", "Route"]
