"""The declarations of the reports, one module each: plain data, so that help imports nothing heavy."""
