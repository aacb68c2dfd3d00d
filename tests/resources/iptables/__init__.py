"""Chains, jumps and policies, against both variants of the tools."""
