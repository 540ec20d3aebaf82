"""The rows behind a number: for every metric, with the very predicates by which it was counted."""
