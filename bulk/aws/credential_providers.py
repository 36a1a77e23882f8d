"""The SDK's credential providers, with limits: processes end, prompts need a person, hosts are verified."""

import asyncio
import getpass
import json
import sys
from typing import Any

from aiobotocore.credentials import (
    AioAssumeRoleCredentialFetcher,
    AioAssumeRoleProvider,
    AioContainerProvider,
    AioDeferredRefreshableCredentials,
    AioInstanceMetadataProvider,
    AioProcessProvider,
    AioProfileProviderBuilder,
    _get_client_creator,
    create_credential_resolver,
)
from aiobotocore.utils import AioContainerMetadataFetcher
from botocore.exceptions import CredentialRetrievalError

from bulk.aws.http_session import HostSession

PROCESS_WITHIN = 30.0  # seconds for a credential_process


class _Process:
    """A process that has `PROCESS_WITHIN` to end, and ends with whoever waits for it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        try:
            async with asyncio.timeout(PROCESS_WITHIN):
                out, words = await self._process.communicate()
        except TimeoutError:
            raise _trouble(f"credential_process did not end within {PROCESS_WITHIN:g} s") from None
        finally:
            if self._process.returncode is None:
                self._process._transport.close()  # type: ignore[attr-defined]  # kills, and lets go of its pipes
                await self._process.wait()
        if self._process.returncode == 0:
            _check(out)
        return out, words


def _check(out: bytes) -> None:
    try:
        told = json.loads(out)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _trouble("credential_process printed no JSON object")


async def _started(*words: str, **settings: Any) -> _Process:
    try:
        return _Process(await asyncio.create_subprocess_exec(*words, **settings))
    except (OSError, ValueError) as error:
        raise _trouble(f"credential_process cannot be started: {error}") from error


def _trouble(told: str) -> CredentialRetrievalError:
    return CredentialRetrievalError(provider="custom-process", error_msg=told)


class _Builder(AioProfileProviderBuilder):  # type: ignore[misc]  # aiobotocore publishes no types
    """Builds the providers of the profiles that a role's credentials come from."""

    def _create_process_provider(self, profile_name: str) -> Any:
        provider = super()._create_process_provider(profile_name)
        provider._popen = _started
        return provider


def _asked(prompt: str) -> str:
    """Ask a person for an MFA code. Raises `EOFError` where nobody is there."""
    if not sys.stdin.isatty():
        raise EOFError
    return getpass.getpass(prompt)


def resolver_of(session: Any, region: str | None, *, verify: str | bool) -> Any:
    """Return what finds the credentials of a session, in the SDK's own order."""
    resolver = create_credential_resolver(session, region_name=region)
    for provider in resolver.providers:
        match provider:
            case AioAssumeRoleProvider():
                provider._prompter = _asked
                provider._profile_provider_builder = _Builder(session, cache=provider.cache, region_name=region)
            case AioProcessProvider():
                provider._popen = _started
            case AioContainerProvider():
                line = HostSession(timeout=AioContainerMetadataFetcher.TIMEOUT_SECONDS, verify=verify)
                provider._fetcher = AioContainerMetadataFetcher(session=line)
            case AioInstanceMetadataProvider():
                fetcher = provider._role_fetcher
                fetcher._session = HostSession(timeout=fetcher._timeout, verify=verify)
    return resolver


def in_role(session: Any, role_arn: str, source: Any, *, region: str | None) -> Any:
    """Return the SDK's credentials of a role that is assumed with those of the source ("AWS STS": AssumeRole)."""
    creator = _get_client_creator(session, region)
    fetcher = AioAssumeRoleCredentialFetcher(creator, source, role_arn, extra_args={"RoleSessionName": "bulk"})
    return AioDeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")
