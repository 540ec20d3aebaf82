"""Asking customers: who was asked and stayed silent, who may be asked now, and when it is time to ask."""
