"""Asking: survey acts and their silence, who may be asked now, and when it is time to ask."""
