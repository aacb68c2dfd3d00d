"""The tests; the folders mirror the package, and ``netns`` holds what tests on the real kernel stand on."""
