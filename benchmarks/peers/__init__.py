"""What the service is measured against: small programs that do the same in the obvious way, or only the limit."""
