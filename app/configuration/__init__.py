"""Configuration: nouns, questions, attributes, calendars, policies and sources, each change in the audit."""
