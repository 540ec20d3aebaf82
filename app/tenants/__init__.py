"""Tenants and their keys: managed by the operator, and by a tenant's own administrator."""
