"""An Asterisk file to begin with: `dialer asterisk example` prints it."""

from __future__ import annotations

from typing import Final

EXAMPLE: Final = """\
# The Asterisk servers of this installation. Keep it readable by the dialer's user only, or keep passwords elsewhere
# (password_file, password_env). What is commented out shows a default or another way.
# "dialer asterisk config" prints what Asterisk itself needs for this, "dialer asterisk check" tries each server.

[asterisk]
# app = "dialer"                      # the ARI application: one for each dialer that uses the servers
# moh = "default"                     # the class of music for who waits
# sounds = "/mnt/dialer"              # where Asterisk sees the dialer's home folder, if it is elsewhere
# requests = 64                       # under way at one server at once
# timeout_s = 5.0                     # for one of them
# ask_every_s = 10.0                  # how often a server is asked how it is
# lost_after_s = 60.0                 # calls of a server that is gone for so long are given up

# One table a server. Its trunk is one trunk of the engine's: a number takes the one with the longest prefix that fits
# and room; then the lower priority; equals share by weight.
[server.main]
url = "http://127.0.0.1:8088/ari"
user = "dialer"
password_env = "ASTERISK_PASSWORD"    # or password_file = "asterisk.password", or password = "..."
endpoint = "PJSIP/{phone}@trunk"      # how a number is dialled
channels = 100                        # calls at once
cps = 10                              # calls a second
# burst = 0                           # calls that may leave at once; 0 = a second's worth
# number_format = "e164_plus"         # +84900000001; e164: 84900000001; national: 0900000001
# country_code = "84"
# priority = 0
# weight = 1
# prefixes = [""]                     # digits of E.164 without the plus; "" = every number

[agents]
endpoint = "PJSIP/{agent}"            # how an agent's phone is dialled
# nailed_up = false                   # true: phones stay on the line between calls
# auto_answer = true                  # phones are asked to pick up by themselves
# ring_s = 20                         # how long a phone rings that is called before its customer

# [agents.endpoints]                  # agents whose phones are dialled otherwise
# a7 = "PJSIP/0900000007@trunk"
"""
