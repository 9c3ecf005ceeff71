"""The store: a synced folder of Parquet files."""
