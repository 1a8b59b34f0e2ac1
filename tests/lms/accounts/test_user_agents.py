"""Names of browsers: the most specific mark in the User-Agent header wins."""

import pytest

from lms.accounts.user_agents import browser_name

WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0"
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15"
HARMONY = "Mozilla/5.0 (Phone; OpenHarmony 4.1) AppleWebKit/537.36 Chrome/114.0 Safari/537.36 HuaweiBrowser/4.1"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (WECHAT, "微信 WeChat · iPhone"),
        (EDGE, "Edge · Windows"),
        (CHROME, "Chrome · Android"),
        (SAFARI, "Safari · Mac"),
        (HARMONY, "Huawei · HarmonyOS"),
        ("curl/8.5.0", ""),
        ("Something on Linux", "Linux"),
        ("", ""),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name
