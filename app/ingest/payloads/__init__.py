"""The raw inbox: what providers sent, why some of it is in quarantine, and how it is read again."""
