"""The asking policy in the database: a versioned document like the others."""

from __future__ import annotations

from app.db.tables.asking import asking_policies

POLICIES = asking_policies
KEY = "default"
"""A tenant has one asking policy; the key leaves room for several."""
