"""Stub."""
NOT_UNDERSTOOD = "presence_unknown"


def key(text: str) -> str:
    """K."""
    return text.strip().lower()


def meaning(text: str) -> str | None:
    """M."""
    t = key(text)
    if t in {"√", "是", "全勤", "到"}:
        return "all"
    if t in {"×", "否", "缺勤", "-"}:
        return "none"
    if t and all(p.isdigit() for p in t.split(";")):
        return t
    return None
