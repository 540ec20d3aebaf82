"""Corrections of versions over a period: weighed first, then applied without notices."""
