"""Files into the service: rows through a mapping, posted in batches, every row accounted for."""
