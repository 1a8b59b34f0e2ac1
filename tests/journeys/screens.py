"""The browser of the journeys: how it is started, how long it is waited for, and the sizes of its screens."""

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PATIENCE = 15_000  # ms: a machine that does much else is slow, not wrong
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
