"""The customer's journey: stages, rules that find the touchpoint of an event, what the map leaves out."""
