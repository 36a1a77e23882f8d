"""A CA of our own, servers with its certificates, and proxies: all of it real, on loopback."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONG_AGO, FAR_AWAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)


def _names(name: str) -> x509.SubjectAlternativeName:
    with suppress(ValueError):
        return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    return x509.SubjectAlternativeName([x509.DNSName(name)])


@dataclass
class Authority:
    """A CA, its certificate in a file."""

    folder: Path
    name: str = "ours"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {self.name}")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._builder(self.subject, self.key).add_extension(basic, critical=True)
        self.bundle = self.folder / f"{self.name}.pem"
        signed = self.certificate.sign(self.key, hashes.SHA256())
        self.bundle.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(issuer_name=self.subject, subject_name=subject, public_key=key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(LONG_AGO).not_valid_after(FAR_AWAY)

    def serve_as(self, name: str) -> ssl.SSLContext:
        """Return the context of a server of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        signed = self._builder(subject, key).add_extension(_names(name), critical=False).sign(self.key, hashes.SHA256())
        path = self.folder / f"{self.name}-{name.replace(':', '_')}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@dataclass
class Proxy:
    """A proxy for CONNECT, which leads everybody to one place; or answers with `refusal`, or stays silent (b"")."""

    port: int = 0
    refusal: bytes | None = None
    requests: list[str] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if self.refusal is not None:
                writer.write(self.refusal)
                await (writer.drain() if self.refusal else asyncio.sleep(60))
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
            with closing(back):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pump(reader, back))
                    both.create_task(_pump(there, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(
    port: int = 0, *, refusal: bytes | None = None, tls: ssl.SSLContext | None = None, listen: int = 0
) -> AsyncIterator[Proxy]:
    """Run a proxy that leads to a port of this machine; over TLS where a context is given.

    It listens at the port `listen`; 0 takes any. At its end every tunnel breaks.
    """
    proxy = Proxy(port, refusal)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):  # asyncio would print it
            await proxy.serve(reader, writer)

    listening = await asyncio.start_server(serve, "127.0.0.1", listen, ssl=tls)
    proxy.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
