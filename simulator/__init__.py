"""Play the carrier, the people called and the agents: seeded, on a virtual or a real clock."""
