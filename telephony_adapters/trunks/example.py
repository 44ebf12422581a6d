"""A trunks file to begin with: `dialer trunk example` prints it."""

from __future__ import annotations

from typing import Final

EXAMPLE: Final = """\
# Trunks of this installation. Keep it readable by the dialer's user only, or keep passwords elsewhere
# (password_file, password_env). What is commented out shows a default or another way.
# "dialer trunk list" shows what is in force, "dialer trunk route 0900000001" which trunk a number takes.

[sip]
listen = ["udp:0.0.0.0:5060"]         # also "tcp:0.0.0.0:5060", "tls:0.0.0.0:5061" (needs tls_cert and tls_key)
# public = "203.0.113.7"              # how carriers reach us, when the address we send from is not it
# tls_cert = "tls/cert.pem"
# tls_key = "tls/key.pem"
# tls_ca = "tls/clients.pem"          # who connects to us must have a certificate of these authorities
# user_agent = "predictive-dialer"
# journal = "sip-journal"             # else in the home folder

# One table a trunk. A number takes the trunk with the longest prefix that fits and room; then the lower priority;
# equals share by weight.
[trunk.main]
server = "sip.carrier.example"        # a name alone: its SRV records; or "10.0.0.1:5060", "[2001:db8::1]:5060"
# transport = "udp"                   # udp, tcp, tls
# domain = "ims.carrier.example"      # the host in From, To and the request line; else the server's
username = "84240000000"
password_file = "main.password"       # or password_env = "SIP_MAIN_PASSWORD", or password = "..."
# auth = ["SHA-256", "MD5"]           # digest algorithms that may be asked for
register = true
# expires_s = 600
channels = 60                         # calls at once
cps = 10                              # calls a second
# burst = 10                          # calls at the same moment; 0 = a second's worth
# calls_per_minute = 0                # no more in any minute; 0 = what cps comes to
# caller_id = "asserted"              # asserted, preferred, from-only, anonymous
number_format = "e164"                # e164: 84900000001; e164_plus: +84900000001; national: 0900000001
# country_code = "84"
# priority = 0
# weight = 1
# prefixes = [""]                     # which numbers it serves: "" = every number
# ring_limit_s = 120
# call_limit_s = 7200
# options_every_s = 30                # how often OPTIONS asks whether it lives; 0 = never
# failures_to_rest = 5                # failures in a row after which it rests ...
# rest_s = 60                         # ... for so long, and is tried with one call
# offer = "sendrecv"                  # the first INVITE's media: sendrecv, inactive, none
# early_100rel = false
# session_expires_s = 1800            # 0 = never refreshed
# ringing_183 = false                 # true for a carrier that sends 183 with media instead of 180
# announcement_header = "X-Announcement"
max_minutes_day = 20000               # billed minutes that a day may have; 0 = any
max_cost_day = 15000000               # 0 = any

[trunk.main.rates]                    # by prefix, the longest wins; money is in the currency of [spend]
"" = { per_minute = 850, increments = "60/1" }
"842" = { per_minute = 350, increments = "6/6" }

# [trunk.main.announcements]          # what words in announcement_header mean
# "so bi khoa" = "locked"             # unreachable, locked, wrong_number, mailbox, network_busy, hotline_blocked

[trunk.viettel]
server = "10.20.0.1:5061"
transport = "tls"
tls_name = "sbc.viettel.example"      # the name that its certificate must bear, when server is an address
# tls_ca = "tls/carrier.pem"          # else the authorities of the system
# tls_verify = true                   # false: anybody in between may listen; for a laboratory only
# tls_cert = "tls/client.pem"         # our certificate, where it wants one
# tls_key = "tls/client.key"
channels = 30
cps = 5
prefixes = ["8432", "8433", "8434", "8435", "8436", "8437", "8438", "8439", "8486", "8496", "8497", "8498"]
rates = { "" = { per_minute = 650 } }

# Which numbers may be called at all. Premium and satellite ranges are refused unless they are listed themselves.
[numbers]
allow = ["vietnam"]                   # Vietnamese mobile and geographic numbers; more: ["vietnam", "8562", "6591"]
# min_digits = 9
# max_digits = 15

# [numbers.refuse]
# "842471000" = "our own lines"

# What a day may cost on all trunks together.
[spend]
timezone = "Asia/Ho_Chi_Minh"
# currency = "VND"
# max_minutes_day = 0
max_cost_day = 20000000

# Where the agents' phones are.
[agents]
server = "10.0.0.5:5060"
uri = "sip:{agent}@10.0.0.5"          # or a table [agents.uris] with a1 = "sip:101@10.0.0.5"
# nailed_up = false                   # true: an agent's leg stays up between calls
# answer_limit_s = 20
# join_limit_s = 4
"""
