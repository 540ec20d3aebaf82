"""A demonstration tenant: ninety days of made-up, clearly marked history to look at."""
