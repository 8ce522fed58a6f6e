"""What a run found, shown: `table` for the terminal and machines, `pictures` with matplotlib, `page` for the browser."""
