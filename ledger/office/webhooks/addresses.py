"""Which addresses a webhook may reach: public ones, and networks that the settings name.

An address that somebody else chose is asked for by this machine, which stands inside a network:
what is reached must not be the machine itself, its neighbours, or a cloud's metadata service. So a
name is resolved here, every address that it has must be allowed, and what is returned is what the
sender connects to: a name that answers otherwise a moment later changes nothing. Written as a
number, in octal or inside an IPv6 address, an address is judged by what it means.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ledger.errors import AddressRefused, InvalidValue

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""All addresses of a host's name. Raises OSError."""

MAX_URL = 2000

RESOLVE_SECONDS = 5.0
"""What a name may take: its server may be the hostile receiver's own, and answer when it likes."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_LABEL}\.?")
"""RFC 1035, section 2.3.1, with the underscore that is in use. Whatever else a resolver would make
of other characters, it is nothing that two programs agree about."""

_OTHER_SERVICES = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161),
        *(179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563),
        *(587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060),
        *(5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
        *(3306, 5432, 6379, 11211),  # databases and caches that take lines of text
    )
)
"""Ports of services that could take a request for one of theirs: the Fetch standard's "bad ports",
which browsers refuse, and a few more."""

_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # Azure's own service, at an address that looks public
    )
)
"""IANA's special-purpose IPv4 addresses that are not reachable from anywhere, and one more."""

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo and benchmarks among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address, reached through whoever relays it
        "3fff::/20",
    )
)
_TRANSLATED_V6 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address is the last 32


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook posts to, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    """Path and query."""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return shown if self.port == usual else f"{shown}:{self.port}"


def parse_target(url: str) -> Target:
    """Take a webhook's URL apart. Raises InvalidValue for what could mean two things.

    User and password, fragments, backslashes, blanks and control characters are refused: programs
    disagree about which host such a URL names.
    """
    problem = InvalidValue(
        field="url",
        value=url[:200],
        expected="an https URL of host and path, without user, fragment and blanks, at most "
        f"{MAX_URL} ASCII characters",
    )
    printable = url.isascii() and url.isprintable()
    if not printable or len(url) > MAX_URL or set(url) & set(' \\"<>^`{|}'):
        raise problem
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise problem from None
    host = parts.hostname or ""
    usable = parts.scheme in {"https", "http"} and _is_host(host, parts.netloc) and port != 0
    if not usable or "@" in parts.netloc or "#" in url or "%" in parts.netloc:
        raise problem
    if port in _OTHER_SERVICES:
        expected = "a URL of a port that no other service has"
        raise InvalidValue(field="url", value=url[:200], expected=expected)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, host, default if port is None else port, path)


def _is_host(host: str, netloc: str) -> bool:
    if "[" not in netloc and ":" not in host:
        return _NAME.fullmatch(host) is not None
    try:
        return bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False


def resolve_name(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver gives, each once, within RESOLVE_SECONDS.

    Raises OSError.
    """
    found: list[str] = []
    problems: list[OSError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(each[4][0]) for each in rows))
        except UnicodeError:
            problems.append(OSError(f"{host} is no name"))
        except OSError as error:
            problems.append(error)

    # The system's resolver takes no deadline; a thread that waits for it holds nobody up.
    asking = threading.Thread(target=ask, name="resolve", daemon=True)
    asking.start()
    asking.join(RESOLVE_SECONDS)
    if asking.is_alive():
        raise OSError(f"{host} was not resolved within {RESOLVE_SECONDS:g} seconds")
    if problems:
        raise problems[0]
    return found


def is_own(address: str) -> bool:
    """Whether an address is this machine's own, which a firewall may trust.

    The route to it tells, and nothing is sent: it begins where it ends.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            begins = str(probe.getsockname()[0])
    except OSError:
        return False
    return ipaddress.ip_address(begins) == ipaddress.ip_address(address)


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, and of nobody's inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


class Gate:
    """Lets through to public addresses, and to the networks that it is given.

    Plain http is for those networks alone: elsewhere anybody on the way could read along.
    """

    def __init__(
        self,
        networks: Sequence[Network] = (),
        resolve: Resolve = resolve_name,
        is_own: Callable[[str], bool] = is_own,
    ) -> None:
        self._networks = networks
        self._resolve = resolve
        self._is_own = is_own

    def addresses_of(self, target: Target) -> Sequence[str]:
        """The addresses to connect to. Raises AddressRefused, and OSError where a name has none.

        One address that is refused refuses them all: a name with a public and a private address is
        a trick or a mistake.
        """
        found = self._resolve(target.host, target.port)
        foreign = [text for text in found if not self._is_named(ipaddress.ip_address(text))]
        for text in foreign:
            if not is_public(ipaddress.ip_address(text)):
                raise AddressRefused(host=target.host, why="is not a public address")
            if target.scheme == "http":
                raise AddressRefused(host=target.host, why="would be asked without encryption")
        if any(self._is_own(text) for text in foreign):
            raise AddressRefused(host=target.host, why="is this machine's own address")
        if not found:
            raise OSError(f"{target.host} has no address")
        return found

    def _is_named(self, address: Address) -> bool:
        return any(_meaning(address) in network for network in self._networks)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of a setting. Raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def _meaning(address: Address) -> Address:
    inner = _inner(address) if isinstance(address, ipaddress.IPv6Address) else None
    return address if inner is None else inner


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED_V6:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
