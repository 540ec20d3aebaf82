"""Health: what a load balancer, an orchestrator and the person on call ask."""
