"""Complaints and questions: opened by deciders or facts, folded from events, moved by commands."""
