"""A report as terminal text, CSV, JSON, Markdown, Parquet, plot and HTML page; it knows only tables."""
