"""Labels of channels, and of the reasons for which a message did not reach a person."""

from collections.abc import Mapping

from lms.core.errors import N_
from lms.core.messages.models import Channel

CHANNELS: Mapping[Channel, str] = {Channel.SMS: N_("SMS"), Channel.EMAIL: N_("E-mail")}

REASONS: Mapping[str, str] = {
    "no_address": N_("No address is known to which a message may be sent."),
    "no_channel": N_("This installation cannot send to any address of this person."),
    "no_template": N_("The SMS gateway has no template for such messages."),
    "bad_address": N_("The address is not valid."),
    "bad_number": N_("The number is not valid."),
    "cannot_be_built": N_("The message cannot be built for this address."),
    "unreadable": N_("The stored message cannot be read."),
    "recipient_refused": N_("The mail server refused the address."),
    "content_refused": N_("The server refused the message."),
    "too_large": N_("The message is too large for the mail server."),
    "number_refused": N_("The gateway refused the number."),
    "sender_refused": N_("The mail server refused our sender."),
    "sign_in_refused": N_("The server refused our sign-in."),
    "account_refused": N_("The SMS gateway refused our account, signature or balance."),
    "unreachable": N_("The server could not be reached."),
    "timeout": N_("The server did not answer in time."),
    "connection_closed": N_("The server closed the connection."),
    "server_busy": N_("The server was busy."),
    "deferred": N_("The server put the message off."),
    "limit": N_("The gateway's limit was reached."),
    "gateway_error": N_("The gateway failed."),
    "protocol": N_("The server's answer could not be understood."),
    "folder": N_("The folder for messages could not be written."),
    "unexpected": N_("An unexpected error occurred."),
    "expired": N_("It could not be delivered in time."),
    "too_old": N_("Nobody called for 30 days."),
    "not_needed": N_("A call was no longer needed."),
}
