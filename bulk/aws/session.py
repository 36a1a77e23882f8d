"""The SDK's session for all clients: those that we open, and those that it opens for itself.

To assume a role, to take a web identity, to renew an SSO token, the SDK makes clients of STS and SSO of its own. They
are made here too, and so go over the same connections: verified, past the same proxies, with the same time-outs.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession

from bulk import __version__
from bulk.aws import certificates
from bulk.aws.credential_providers import in_role, resolver_of
from bulk.aws.credentials import WITHIN, Credentials, credential_errors, setup_error
from bulk.aws.http_session import Verified


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How every service of AWS is reached. Times in seconds.

    `dummy`: where there are no credentials, any do, as what is reached is on this machine and asks for none.
    """

    ca_bundle: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    allow_http: bool = False
    dummy: bool = False


class Session(AioSession):  # type: ignore[misc]  # aiobotocore publishes no types
    """A session whose clients all verify whom they talk to, and whose credentials are a step of their own."""

    def __init__(self, settings: ClientSettings, *, profile: str | None = None, role_arn: str | None = None) -> None:
        super().__init__(profile=profile)
        self._client_settings = settings
        self._role_arn = role_arn

    def _trusted(self) -> str | bool:
        """Return the CA bundle to trust, else True. Raises `CampaignError` where it cannot be used."""
        named = (
            (self._client_settings.ca_bundle, "--ca-bundle"),
            (self.get_config_variable("ca_bundle"), "AWS_CA_BUNDLE, or ca_bundle of the AWS profile"),
            (os.environ.get("REQUESTS_CA_BUNDLE"), "REQUESTS_CA_BUNDLE"),
        )
        for bundle, source in named:
            if bundle:
                certificates.check_bundle(bundle, source)
                return os.fspath(bundle)
        return True

    def _settings(self, asked: Any) -> AioConfig:
        """Return the settings of a client: what was asked for, over ours."""
        ours = AioConfig(
            retries={"mode": "standard"},
            user_agent=f"bulk/{__version__}",
            connect_timeout=self._client_settings.connect_timeout,
            read_timeout=self._client_settings.read_timeout,
        )
        config = ours if asked is None else ours.merge(asked)
        wanted = getattr(asked, "http_session_cls", None)
        config.http_session_cls = wanted if isinstance(wanted, type) and issubclass(wanted, Verified) else Verified
        return config

    async def _create_client(self, service_name: str, *args: Any, **settings: Any) -> Any:
        settings["verify"] = self._trusted()
        settings["config"] = self._settings(settings.get("config"))
        client = await super()._create_client(service_name, *args, **settings)
        url = client.meta.endpoint_url
        certificates.check_endpoint(url, allow_http=self._client_settings.allow_http)
        client._endpoint.http_session.check(url)  # noqa: SLF001 - the session is ours
        return client

    def set_credentials(self, *args: Any, **settings: Any) -> None:
        super().set_credentials(*args, **settings)
        self._credentials: Credentials | None = Credentials(self._credentials)

    async def get_credentials(self) -> Credentials:
        """Return the credentials, found once. Raises `SetupError` where there are none that can be used."""
        if self._credentials is None:
            region = self.get_config_variable("region")
            resolver = resolver_of(self, region, verify=self._trusted())
            with credential_errors(lambda: ""):
                async with asyncio.timeout(WITHIN):
                    source = await resolver.load_credentials()
            if source is None and self._client_settings.dummy:
                source = AioCredentials("dummy", "dummy", method="dummy")
            if source is None:
                raise setup_error("Unable to locate credentials")
            found = Credentials(source)
            await found.fresh()
            if self._role_arn is not None:
                found = Credentials(in_role(self, self._role_arn, found, region=region))
                await found.fresh()
            self._credentials = found
        return self._credentials
