"""What all tests share."""

pytest_plugins = ["tests.netns.fixtures"]
