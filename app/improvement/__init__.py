"""What is learned from cases: corrective actions, recurring failures, staff debriefs, proactive notices."""
