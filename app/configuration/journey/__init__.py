"""The journey map as configuration: touchpoints, the rules that find them."""
