"""Webhooks out: endpoints, messages, signed attempts; at least once, never silently dropped."""
