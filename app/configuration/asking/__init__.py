"""The asking policy: a document whose versions never change."""
