"""Reports: read-only logins of the `bi` views, and the same views as an OData feed."""
