"""Home automation: what Watchword sees and says at an MQTT broker, as Home Assistant wants it.

`entities` and `home` decide what stands at the broker, `orders` what may be asked from there; both are pure.
`broker` speaks MQTT, `bridge` joins them to the daemon.
"""
