"""Figures of reports: a table in, axes out."""
