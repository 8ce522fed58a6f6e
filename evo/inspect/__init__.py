"""Presentation of results: `terminal` (tables and text), `page` (the report in the browser), figures and pictures."""
