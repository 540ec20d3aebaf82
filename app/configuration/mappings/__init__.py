"""Ready mapping documents: systems that need no code, only a description."""
