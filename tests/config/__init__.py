"""From a file to a validated document."""
