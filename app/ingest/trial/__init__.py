"""Trying a source on a sample: what an adapter or a mapping would say, before anything is configured."""
