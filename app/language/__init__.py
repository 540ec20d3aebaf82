"""Language: what is read off a text of a customer, offline: its language, its sentiment, hints."""
