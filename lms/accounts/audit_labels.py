"""Labels of the audit trail's codes for accounts, devices and roles."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "contact.prove": N_("Contact proven"),
            "device.pair": N_("Device connected"),
            "device.revoke": N_("Device disconnected"),
            "user.change": N_("Account changed"),
            "user.confirm": N_("Password given again"),
            "user.create": N_("Account created"),
            "user.disable": N_("Account disabled"),
            "user.enable": N_("Account enabled"),
            "user.grant": N_("Role granted"),
            "user.invite": N_("Password link created"),
            "user.password": N_("Password set"),
            "user.sign_in": N_("Signed in"),
            "user.sign_in_failed": N_("Sign-in failed: wrong password"),
            "user.sign_in_refused": N_("Sign-in refused: too many tries"),
            "user.withdraw": N_("Role withdrawn"),
        },
        nouns={
            "app_user": N_("User"),
            "device": N_("Device"),
            "sign_in": N_("Sign-in"),
        },
        fields={
            "active": N_("Active"),
            "address": N_("Network address"),
            "browser": N_("Browser"),
            "by_invitation": N_("By invitation"),
            "devices": N_("Devices"),
            "email": N_("E-mail address"),
            "failures": N_("Failures before"),
            "identifier": N_("What was typed"),
            "language": N_("Language"),
            "name": N_("Name"),
            "note": N_("Note"),
            "number": N_("Number"),
            "roles": N_("Roles"),
            "state": N_("State"),
            "user": N_("User"),
        },
        pages={
            "app_user": ("users.page", "user_id"),
        },
    )
)
