"""Small tools that could move to another service unchanged."""
