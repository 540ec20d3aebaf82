"""Questions: which metric reads their answers, on which scale; and the scales."""
