"""Playbooks, complaint rules, routing and compensation policy: one versioned document of each kind."""
