"""Questions about metrics: validated, compiled to one SELECT per population, answered with honest rows."""
