"""The pure core against a fake kernel."""
