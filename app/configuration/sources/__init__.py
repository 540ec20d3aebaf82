"""Sources: who sends, how it is verified, and the secret path of its webhooks."""
