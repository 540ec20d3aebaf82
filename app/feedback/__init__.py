"""The feedback store: answers with their versions, volumes, the read API and the changes feed."""
