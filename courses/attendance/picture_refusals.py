"""The refusals of a photograph that cannot be read, shared by `scanning` and by the process that decodes pictures."""

from lms.core.errors import N_, DomainError


def too_large() -> DomainError:
    """The refusal of a picture with too many bytes or pixels."""
    return DomainError("picture_too_large", N_("The picture is too large. Send a smaller one."), status=413)


def no_picture() -> DomainError:
    """The refusal of a file that is no picture, or a broken one."""
    return DomainError("not_a_picture", N_("This picture cannot be read. Send a JPEG or PNG photo."), status=422)
