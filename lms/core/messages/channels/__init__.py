"""The channels of messages: each builds what its server or gateway takes, and hands it over."""
