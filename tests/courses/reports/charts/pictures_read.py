"""Reads a picture as a test sees it: its elements, its texts, and where they stand."""

from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> list[str]:
    """The texts of an image, in their order, without its title and description."""
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def elements(svg: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes of all elements of a kind."""
    return [dict(element.attrib) for element in ET.fromstring(svg).iter(f"{SVG}{tag}")]


def is_sound(svg: bytes) -> bool:
    """True if the image has a title, a description and a role, loads and runs nothing, and has real numbers alone."""
    root = ET.fromstring(svg)
    tags = [element.tag.removeprefix(SVG) for element in root.iter()]
    values = [value for element in root.iter() for value in element.attrib.values()]
    return (
        tags[1:3] == ["title", "desc"]
        and root.get("role") == "img"
        and set(tags) <= {"svg", "title", "desc", "rect", "line", "path", "circle", "text"}
        and not any("nan" in value or "inf" in value or "href" in value for value in values)
        and within(svg)
    )


def within(svg: bytes) -> bool:
    """True if all texts begin and end within the image, by a narrow estimate of their width."""
    root = ET.fromstring(svg)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for element in root.iter(f"{SVG}text"):
        text = element.text or ""
        size = float(element.get("font-size", root.get("font-size", 13)))
        long = sum(1 if ord(letter) > 0x2E7F else 0.5 for letter in text) * size
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        begin = {"end": x - long, "middle": x - long / 2}.get(element.get("text-anchor", ""), x)
        if begin < -1 or begin + long > width + 1 or not 0 <= y <= height:
            return False
    return True
