"""The journey map: touchpoints by stage, the rules that find them, and what is not covered."""
