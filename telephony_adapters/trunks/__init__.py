"""SIP trunks: what they are, which one a call takes, what may be called, and the calls themselves."""
