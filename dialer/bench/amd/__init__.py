"""Answering-machine detection by a real switch, on greetings that are made, not recorded."""
