"""Cuboids that a tenant declares: combinations asked for often, folded ahead."""
