"""A demonstration tenant: ninety days of made-up, clearly marked history, so that every page has something to show."""
