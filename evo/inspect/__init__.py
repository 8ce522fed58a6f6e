"""Presentation of results: `table` for the terminal and machines, `pictures` with matplotlib, `page` for the browser."""
