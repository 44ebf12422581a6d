"""Carry SIP over UDP, TCP and TLS: sockets, connections, names, and the loop that turns a machine."""
