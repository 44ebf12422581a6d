"""Asterisk as the switch, over ARI: one server is one trunk of the engine's (docs/asterisk.md)."""
