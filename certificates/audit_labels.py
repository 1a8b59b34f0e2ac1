"""Labels of the audit trail's codes for certificates and the keys that sign them."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "certificate.alarm": N_("Unknown certificate with our signature"),
            "certificate.correct": N_("Certificate correction requested"),
            "certificate.drop_correction": N_("Certificate correction discarded"),
            "certificate.erase": N_("Holder's name on a certificate erased"),
            "certificate.erase_legacy": N_("Holder of a legacy certificate erased"),
            "certificate.export": N_("List of certificates exported"),
            "certificate.import_legacy": N_("Legacy certificates imported"),
            "certificate.issue": N_("Certificate issued"),
            "certificate.reissue": N_("Certificate corrected and reissued"),
            "certificate.renew": N_("Certificate renewed"),
            "certificate.restore": N_("Revocation of a certificate undone"),
            "certificate.revoke": N_("Certificate revoked"),
            "certificate.share": N_("Link to a certificate created"),
            "certificate_layout.change": N_("Layout of certificates changed"),
            "certificate_layout.remove": N_("Layout of a course removed"),
            "certificate.unshare": N_("Link to a certificate withdrawn"),
            "certificates.print": N_("Certificates downloaded for printing"),
            "second_name.record": N_("Second writing of a name recorded"),
            "second_name.withdraw": N_("Second writing of a name taken back"),
            "enrolment.show_code": N_("Code of a person's own page shown"),
            "offering.hand_out": N_("Codes of a class printed"),
            "legacy_certificate.link": N_("Legacy certificate given to a person"),
            "legacy_certificate.match": N_("Legacy certificates matched to people"),
            "legacy_certificate.put_back": N_("Legacy certificate put back on the list"),
            "legacy_certificate.remove": N_("Legacy certificate removed"),
            "legacy_certificate.set_aside": N_("Legacy certificate taken off the list"),
            "legacy_certificate.unlink": N_("Legacy certificate taken from a person"),
            "signing_key.compromise": N_("Signing key compromised"),
            "signing_key.create": N_("Signing key created"),
            "signing_key.retire": N_("Signing key retired"),
            "unit_seal.remove": N_("Seal of an issuing unit removed"),
            "unit_seal.set": N_("Seal of an issuing unit set"),
        },
        nouns={
            "certificate": N_("Certificate"),
            "certificate_layout": N_("Layout of certificates"),
            "legacy_certificate": N_("Legacy certificate"),
            "signing_key": N_("Signing key"),
            "unit_seal": N_("Seal of an issuing unit"),
        },
        fields={
            "content": N_("Digest before the erasure"),
            "remains": N_("Digest of what remains"),
            "issued_on": N_("Issued on"),
            "key": N_("Signing key"),
            "not_after": N_("Valid until"),
            "not_before": N_("Valid from"),
            "picture": N_("Digest of the picture"),
            "wording": N_("Wording"),
            "serial": N_("Serial number"),
        },
        values={
            "issued": N_("issued"),
            "revoked": N_("revoked"),
        },
    )
)
