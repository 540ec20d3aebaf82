"""Calendars and SLA policies: documents whose versions never change."""
