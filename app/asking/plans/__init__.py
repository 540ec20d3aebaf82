"""Survey moments: planned after an event, decided when they come due."""
