"""The refusals of a picture: their codes, and the status that tells a script whether a smaller picture would do."""

from courses.attendance import picture_refusals


def test_a_refusal_of_a_picture_has_its_code_and_status() -> None:
    large, broken = picture_refusals.too_large(), picture_refusals.no_picture()
    assert (large.code, large.status) == ("picture_too_large", 413)
    assert (broken.code, broken.status) == ("not_a_picture", 422)
