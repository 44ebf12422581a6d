"""Connect the dialer to trunks and switches: one adapter per kind, chosen by name."""
