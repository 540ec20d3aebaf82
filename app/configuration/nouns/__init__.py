"""Nouns: locations, employees, touchpoints, products and segments by key."""
