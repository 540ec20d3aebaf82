"""Sentiment of a text: weights of words, negation, contrast; `unknown` where nothing speaks."""
