"""Sources that are asked on a schedule: claimed, asked page by page, read by their own adapters."""
