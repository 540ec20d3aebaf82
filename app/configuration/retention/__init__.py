"""Retention: how long a tenant keeps words, raw bodies and decisions."""
