"""The `bi` views as a read-only OData v4 feed: what Excel, Power BI and Tableau open without any code."""
