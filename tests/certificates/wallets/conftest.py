"""A branch with the keys of both wallets."""

import pytest

from lms.config import Settings
from tests.certificates.wallets import keys
from tests.certificates.wallets.keys import WalletFiles


@pytest.fixture(scope="session")
def wallet_files(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> WalletFiles:
    """The files of the branch at Apple and Google, made once: making RSA keys takes a while."""
    return keys.make(settings, tmp_path_factory.mktemp("wallets"))
