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
            "second_factor.add": N_("Second factor added"),
            "second_factor.codes": N_("Recovery codes created"),
            "second_factor.recovery": N_("Recovery code used"),
            "second_factor.refused": N_("Second factor refused"),
            "second_factor.remove": N_("Second factor removed"),
            "second_factor.rename": N_("Passkey renamed"),
            "second_factor.reset": N_("Second factor reset"),
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
            "cause": N_("Cause"),
            "codes_left": N_("Recovery codes left"),
            "email": N_("E-mail address"),
            "factor": N_("Second factor"),
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
        values={
            "passkey_late": N_("Too late"),
            "passkey_malformed": N_("Not readable"),
            "passkey_no_challenge": N_("Not asked for in this session"),
            "passkey": N_("Passkey"),
            "recovery_code": N_("Recovery code"),
            "totp": N_("Authenticator app"),
            "passkey_unknown": N_("Unknown passkey"),
            "passkey_unproven": N_("Signature or counter not valid"),
        },
        pages={
            "app_user": ("users.page", "user_id"),
        },
    )
)
