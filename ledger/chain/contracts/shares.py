"""Shares: pools that are shared by contribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import encode_call
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.rpc import BlockName
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.keys import decode_key, encode_key
from ledger.domain.messages import SignedMessage
from ledger.domain.shares import Share
from ledger.domain.sharing import Distribution, DistributionState


def encode_post(
    distribution: Distribution, operation_id: bytes, *, evidence: bytes = NO_COMMITMENT
) -> bytes:
    """Post a distribution. Council."""
    row = {
        "programmeId": distribution.programme_id,
        "epoch": distribution.epoch,
        "pool": distribution.pool,
        "unit": encode_key(distribution.unit, "unit"),
        "rule": distribution.rule,
        "root": distribution.root,
        "claimableFrom": distribution.claimable_from,
        "claimableUntil": distribution.claimable_until,
    }
    return encode_call("Shares", "post", row, evidence, operation_id)


def encode_withdraw(
    distribution_id: DistributionId, operation_id: bytes, *, evidence: bytes = NO_COMMITMENT
) -> bytes:
    """Take a distribution back, or what is not yet claimed of it. Council."""
    return encode_call("Shares", "withdraw", distribution_id, evidence, operation_id)


def encode_claim(
    distribution_id: DistributionId, share: Share, proof: Sequence[bytes], operation_id: bytes
) -> bytes:
    """Claim an organisation's share. Its controller, or its successor's."""
    return encode_call(
        "Shares",
        "claim",
        distribution_id,
        share.org_id,
        share.amount,
        list(proof),
        operation_id,
    )


def encode_claim_by_signature(
    distribution_id: DistributionId,
    share: Share,
    proof: Sequence[bytes],
    operation_id: bytes,
    signed: SignedMessage,
) -> bytes:
    """Claim by the controller's message (`write_claim`). Anybody brings it."""
    return encode_call(
        "Shares",
        "claimBySignature",
        distribution_id,
        share.org_id,
        share.amount,
        list(proof),
        operation_id,
        signed_row(signed),
    )


@dataclass(frozen=True, slots=True)
class Shares(MessageTaker):
    """Reads of Shares."""

    NAME: ClassVar[str] = "Shares"

    def distribution_count(self, *, at: BlockName) -> int:
        """How many distributions there are, of all programmes; their ids are 1 to this number."""
        return int(self.read("distributionCount", at=at))

    def distribution(self, distribution_id: DistributionId, *, at: BlockName) -> DistributionState:
        """A distribution as it is now. Raises ContractRefused (SharesDistributionUnknown)."""
        found = self.read("distribution", distribution_id, at=at)
        given = found["distribution"]
        return DistributionState(
            distribution=Distribution(
                programme_id=ProgrammeId(given["programmeId"]),
                epoch=given["epoch"],
                pool=given["pool"],
                unit=decode_key(given["unit"]),
                rule=given["rule"],
                root=given["root"],
                claimable_from=given["claimableFrom"],
                claimable_until=given["claimableUntil"],
            ),
            claimed=found["claimed"],
            withdrawn=found["withdrawn"],
        )

    def is_claimed(self, distribution_id: DistributionId, org_id: OrgId, *, at: BlockName) -> bool:
        """Whether an organisation's share was claimed."""
        return bool(self.read("isClaimed", distribution_id, org_id, at=at))
