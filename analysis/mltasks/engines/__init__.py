"""What reports do with a frame, by engine."""
