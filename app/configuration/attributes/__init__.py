"""Custom attributes: their type, and whether they are personal or dimensions."""
