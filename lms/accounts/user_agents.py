"""Names of browsers, taken from the User-Agent header, by which their owner recognises them."""

# The first that fits names it; order matters, since each calls itself by its ancestors' names too.
BROWSERS = (
    ("MicroMessenger", "微信 WeChat"), ("DingTalk", "钉钉 DingTalk"), ("QQBrowser", "QQ"), ("UCBrowser", "UC"),
    ("HuaweiBrowser", "Huawei"), ("MiuiBrowser", "MIUI"), ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("OpenHarmony", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"),
    ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def browser_name(agent: str) -> str:
    """A name such as "Chrome · Android". Parts that cannot be told are left out; an unknown browser gives an empty text."""
    parts = (next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS))
    return " · ".join(part for part in parts if part)
