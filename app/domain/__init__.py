"""What the business means: pure decisions, no clock and no I/O."""
