"""Calls by our adapter beside the same calls by SIPp and by Asterisk, each in a process of its own."""
