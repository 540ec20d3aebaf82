"""What a draft policy would have made of past cases; nothing is written."""
