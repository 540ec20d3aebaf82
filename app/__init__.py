"""Vidhuk: feedback events in, honest service metrics out, a signed webhook for every missed deadline."""
