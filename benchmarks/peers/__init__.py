"""What the service is measured against: the same done in the obvious way, or the limit alone."""
