"""Alerts: rules over metrics that the worker evaluates, told once when raised and once when cleared."""
