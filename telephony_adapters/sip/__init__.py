"""SIP without sockets or clocks (sans-I/O): datagrams and times in; datagrams and events out (RFC 3261)."""
