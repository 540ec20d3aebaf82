"""Metric queries with a name and a stable address, and signed addresses of them for spreadsheets."""
