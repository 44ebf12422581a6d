"""The messages of one call, as a log on disk, a ladder to look at and a pcap file."""
