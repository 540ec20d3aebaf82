"""The journal: the only writer of events, in one committed order per tenant."""
