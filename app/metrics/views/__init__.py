"""Answers that need more than one cell: Pareto, journey coverage, before and after, the expert's list."""
