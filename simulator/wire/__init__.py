"""The carrier simulator on the wire: a SIP server that behaves like a carrier and the people behind it."""
