"""Source systems: payload -> events, pure; one file per partner, mappings for everyone else."""
