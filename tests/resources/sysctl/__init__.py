"""Tests of the settings below /proc/sys/net."""
