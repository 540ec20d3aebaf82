"""Eligibility: may this customer be asked, on this channel, now."""
