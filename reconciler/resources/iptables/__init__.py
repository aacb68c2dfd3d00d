"""iptables, of both families and both variants (nft and legacy).

Our rules live in chains of our own, each with one jump from the built-in chain. The unit of change is the
chain; its rules are parts. Dumped rules are never parsed: each carries a comment with a hash of its own
line, so no canonical form of any tool's output can look like a difference.
"""
