"""Home automation: the daemon's state and events at an MQTT broker, in Home Assistant's format.

`discovery` and `topics_state` compute the messages, `commands` translates commands from the broker; they are
pure. `broker` speaks MQTT, `listener` talks to the daemon, `bridge` connects the two.
"""
