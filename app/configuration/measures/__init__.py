"""What the tenant says about its metrics: terms, annotations, alert rules."""
